"""Names for groups of comments: a heading, the words that set a group apart, and typical quotes.

No tagger is at hand, so what is a noun is learnt from the comments themselves: a noun ends a phrase
that starts with an article, a verb follows "to" or "I", an adjective follows "was" or "very".
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from analysis.text.clean import spoken, tokens
from analysis.text.lexicon import (
    BEFORE_ADJECTIVES,
    BEFORE_VERBS,
    CONNECTORS,
    DETERMINERS,
    NEGATIONS,
    PARTICLES,
    SAYS_LITTLE,
)
from analysis.text.words import guess_language, is_content, stem

Phrase = tuple[str, ...]  # the stems of a phrase, which make "waiting times" and "waiting time" one

KEYWORDS = 8
QUOTES = 3
_LONGEST = 3
# A heading has to be said by this share of those who say the group's foremost phrase.
_COMMON_ENOUGH = 0.04
# And by this share of the whole group: a rare phrase must not name a broad one.
_BROAD_ENOUGH = 0.03
_SURE_OF_CASING = 3
_CLAUSE = re.compile(r"[^\w\s'’/-]+|\s[-–]+\s|\d+|[/_]")
_INNER_WORD = re.compile(r"(?<=[^\W_][ ,])[^\W\d_]+(?:['’][^\W\d_]+)*")


@dataclass
class Naming:
    """What one group of comments is called."""

    label: str = ""
    keywords: list[str] = field(default_factory=list)


class Phrases:
    """Counts of the phrases of each group, and of what stands beside every word."""

    def __init__(self, language: str = "en", exclude: Iterable[str] = ()) -> None:
        self.language = language
        self.exclude = frozenset(word.lower() for word in exclude)
        self.found: dict[int, Counter[Phrase]] = defaultdict(Counter)
        self.everywhere: Counter[Phrase] = Counter()
        self.comments: Counter[int] = Counter()
        self.surfaces: dict[Phrase, Counter[str]] = defaultdict(Counter)
        self.nouns: Counter[str] = Counter()
        self.others: Counter[str] = Counter()
        self.uses: Counter[str] = Counter()
        self.casings: dict[str, Counter[str]] = defaultdict(Counter)
        self.particles: dict[str, Counter[str]] = defaultdict(Counter)

    def read(self, text: str, group: int) -> None:
        """Counts each phrase once for a comment, however often it is repeated in it."""
        language = guess_language(tokens(text), default=self.language)
        seen: dict[Phrase, str] = {}
        text = spoken(text)
        for clause in _CLAUSE.split(text):
            words = tokens(clause)
            self._read_company(words, language)
            for phrase, surface in self._phrases(words, language):
                seen.setdefault(phrase, surface)
        self._read_casing(text)
        for phrase, surface in seen.items():
            self.found[group][phrase] += 1
            self.everywhere[phrase] += 1
            self.surfaces[phrase][surface] += 1
        self.comments[group] += 1

    def _phrases(self, words: list[str], language: str) -> Iterator[tuple[Phrase, str]]:
        content = [is_content(word, language) and word not in self.exclude for word in words]
        stemmed = [stem(word, language) for word in words]
        for start, first in enumerate(words):
            if not content[start] and first not in NEGATIONS:
                continue
            for stop in range(start + 1, min(start + _LONGEST, len(words)) + 1):
                inner = range(start + 1, stop - 1)
                if not content[stop - 1]:
                    continue
                if all(content[place] or words[place] in CONNECTORS for place in inner):
                    phrase = [stemmed[place] for place in range(start, stop) if content[place]]
                    opening = [] if content[start] else [first]
                    yield tuple(opening + phrase), " ".join(words[start:stop])

    def _read_company(self, words: list[str], language: str) -> None:
        """Learns from a word's neighbours whether it is used as a noun."""
        for place, word in enumerate(words):
            if not is_content(word, language):
                continue
            root = stem(word, language)
            before = words[place - 1] if place else ""
            after = words[place + 1] if place + 1 < len(words) else ""
            self.uses[root] += 1
            if after in PARTICLES:
                self.particles[root][after] += 1
            last = not after or not is_content(after, language)
            if before in BEFORE_VERBS or before in BEFORE_ADJECTIVES or word.endswith("ly"):
                self.others[root] += 1
            elif last and DETERMINERS.intersection(words[max(0, place - 3) : place]):
                self.nouns[root] += 1

    def _read_casing(self, text: str) -> None:
        """Learns that it is "ATM" and "Google", from words that do not open a sentence."""
        if text.isupper():
            return
        for word in _INNER_WORD.findall(text):
            self.casings[word.lower()][word] += 1

    def nounness(self, root: str) -> float:
        """Share of a stem's telling uses in which it is a noun, 0-1; 0.5 where nothing was seen."""
        return (self.nouns[root] + 1) / (self.nouns[root] + self.others[root] + 2)

    def surface(self, phrase: Phrase) -> str:
        """The lower-case form that is written most often; the first by alphabet among equals."""
        return _most_common(self.surfaces[phrase])

    def written(self, phrase: Phrase) -> str:
        """The surface with capitals where most people put them."""
        return " ".join(self._cased(word) for word in self.surface(phrase).split())

    def _cased(self, word: str) -> str:
        usual = _most_common(self.casings[word])
        return usual if self.casings[word][usual] >= _SURE_OF_CASING else word

    def scores(self, group: int) -> dict[Phrase, float]:
        """How well each phrase stands for the group: frequent here, rare elsewhere, long."""
        here, total = self.comments[group], sum(self.comments.values())
        least = 1 if here < 4 else max(2, round(0.005 * here))
        scores = {}
        for phrase, count in self.found[group].items():
            if count < least:
                continue
            outside = self.everywhere[phrase] - count
            share, elsewhere = count / here, (outside + 0.5) / (total - here + 1)
            lift = math.log(share / elsewhere)
            if lift > 0:
                scores[phrase] = share * lift * (1 + 0.35 * (len(phrase) - 1))
        return scores

    def weight(self, phrase: Phrase) -> float:
        """How much a phrase looks like a heading: nouns that say something, better two than one."""
        words = [word for word in self.surface(phrase).split() if word not in CONNECTORS]
        telling = sum(word not in SAYS_LITTLE for word in words) / max(1, len(words))
        nouns = [self.nounness(root) for root in phrase]
        if len(phrase) == 1:
            return nouns[0] ** 3 * (0.05 + telling)
        return (nouns[-1] ** 2 + max(nouns) ** 2) * (0.05 + telling)

    def heading(self, phrase: Phrase) -> str:
        """The phrase as a heading, with the particle that most people write after it ("Top up")."""
        surface = self.written(phrase)
        if len(phrase) == 1 and (particles := self.particles[phrase[0]]):
            particle = _most_common(particles)
            if particles[particle] * 2 > self.uses[phrase[0]]:
                surface = f"{surface} {particle}"
        return surface[:1].upper() + surface[1:]


def name_groups(
    phrases: Phrases, groups: Iterable[int], headings: Iterable[str] = ()
) -> dict[int, Naming]:
    """A heading and keywords for each group; earlier groups choose first, none comes twice.

    `headings` are taken already.
    """
    taken: set[str | frozenset[str]] = {heading.lower() for heading in headings}
    named = {}
    for group in groups:
        scores = phrases.scores(group) or dict.fromkeys(phrases.found[group], 1.0)
        by_score = sorted(scores, key=lambda phrase: (-scores[phrase], phrase))
        label = f"Theme {group + 1}"
        for phrase in _by_heading(phrases, group, scores, by_score):
            heading = phrases.heading(phrase)
            if taken.isdisjoint({frozenset(phrase), heading.lower()}):
                taken |= {frozenset(phrase), heading.lower()}
                label = heading
                break
        named[group] = Naming(label, _keywords(phrases, by_score))
    return named


def _by_heading(
    phrases: Phrases, group: int, scores: dict[Phrase, float], by_score: list[Phrase]
) -> list[Phrase]:
    """The phrases, best heading first; those that few of the group say come last."""
    said = phrases.found[group]
    foremost = said[by_score[0]] if by_score else 0
    enough = max(_COMMON_ENOUGH * foremost, _BROAD_ENOUGH * phrases.comments[group])

    def rank(phrase: Phrase) -> tuple[bool, float]:
        return said[phrase] < enough, -scores[phrase] * phrases.weight(phrase)

    return sorted(by_score, key=rank)


def _keywords(phrases: Phrases, by_score: list[Phrase]) -> list[str]:
    chosen: list[Phrase] = []
    for phrase in by_score:
        roots = set(phrase)
        if all(len(roots & set(other)) * 2 < len(roots | set(other)) for other in chosen):
            chosen.append(phrase)
        if len(chosen) == KEYWORDS:
            break
    return [phrases.written(phrase) for phrase in chosen]


def _most_common(counter: Counter[str]) -> str:
    """The most frequent entry, the first by alphabet among equals; "" for none."""
    return min(counter, key=lambda entry: (-counter[entry], entry), default="")


def typical_quotes(texts: Sequence[str], similarity: Sequence[float]) -> list[str]:
    """Up to three comments nearest to the centre, 5-40 words each, no two of them alike.

    Where no comment has that length, the nearest of any length is quoted, cut at 40 words.
    """
    order = sorted(range(len(texts)), key=lambda place: (-similarity[place], texts[place]))
    fitting = [texts[place] for place in order if 5 <= len(texts[place].split()) <= 40]
    chosen: list[str] = []
    for text in fitting or [_cut(texts[place]) for place in order]:
        if all(_overlap(text, other) < 0.5 for other in chosen):
            chosen.append(text)
        if len(chosen) == QUOTES:
            break
    return chosen


def _cut(text: str) -> str:
    words = text.split()
    return text if len(words) <= 40 else " ".join(words[:40]) + " …"


def _overlap(one: str, other: str) -> float:
    first, second = set(tokens(one)), set(tokens(other))
    return len(first & second) / max(1, len(first | second))
