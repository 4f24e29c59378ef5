"""Stop words, stems and a first guess at the language, for the seven languages of the surveys."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import cache, lru_cache

from nltk.stem.snowball import SnowballStemmer
from stop_words import get_stop_words

from analysis.text.lexicon import CAUSES, ENGLISH_STOP_WORDS

LANGUAGES = {
    "en": "english",
    "de": "german",
    "fr": "french",
    "es": "spanish",
    "pt": "portuguese",
    "it": "italian",
    "nl": "dutch",
}


@cache
def stop_words(language: str = "en") -> frozenset[str]:
    """The stop words of one language code of `LANGUAGES`, lower case, accents kept."""
    if language == "en":
        return ENGLISH_STOP_WORDS
    return frozenset(word.strip("\"' ") for word in get_stop_words(language)) - CAUSES


@cache
def _languages_of_stop_words() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for language in LANGUAGES:
        for word in stop_words(language):
            found[word] = (*found.get(word, ()), language)
    return found


def guess_language(tokens: Iterable[str], default: str = "en") -> str:
    """The language with the most stop words among lower-case tokens; `default` wins a tie."""
    known = _languages_of_stop_words()
    votes = Counter(language for token in tokens for language in known.get(token, ()))
    best = max(LANGUAGES, key=lambda language: votes[language])
    return best if votes[best] > votes[default] else default


def main_language(documents: Iterable[list[str]]) -> str:
    """The language of most documents (token lists); English where none shows."""
    guesses = Counter(guess_language(tokens) for tokens in documents)
    return max(LANGUAGES, key=lambda language: guesses[language])


@cache
def _stemmer(language: str) -> SnowballStemmer:
    return SnowballStemmer(LANGUAGES[language])


@lru_cache(maxsize=200_000)
def stem(word: str, language: str = "en") -> str:
    """The Snowball stem of a lower-case word; cached, for stemming is the dearest step of all."""
    return _stemmer(language).stem(word)


def is_content(word: str, language: str = "en") -> bool:
    """Whether a lower-case word can carry a cause: two different letters and no stop word."""
    return len(set(word)) > 1 and word not in stop_words(language)
