"""Grouping comments into themes: what people talk about, with a name, keywords and quotes each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClusterMixin
from threadpoolctl import threadpool_limits

from analysis.text import clean
from analysis.text.assignment import NO_THEME, Assignment
from analysis.text.clauses import clauses
from analysis.text.emerging import Emerging
from analysis.text.known import digest
from analysis.text.naming import Naming, Phrases, name_groups, typical_quotes
from analysis.text.reader import Reader
from analysis.text.state import pack, unpack

STATE_VERSION = 2
_BLOCK = 5_000
_SECOND = 0.35  # confidence from which a clause counts for a theme of its own


@dataclass
class Theme:
    """One theme: `size` comments of the fit, `cohesion` their mean cosine with the centre, 0-1.

    A sub-theme has the id of its theme in `parent`, a theme has None.
    """

    id: int
    label: str
    keywords: list[str]
    quotes: list[str]
    size: int
    cohesion: float
    parent: int | None = None


class ThemeModel(BaseEstimator, ClusterMixin):
    """Groups comments into themes by meaning, words and characters.

    `n_themes` is obeyed as far as there are distinct comments; None lets the comments decide
    (8-40, fewer below some 300), and divides themes that fall apart into sub-themes. Up to
    `read_whole` distinct comments are read by the encoder; of more, `sample_size` are, and teach
    the rest. `exclude` holds words that never make a label or a keyword, such as the company's
    name. `use_encoder=False` reads words and characters only.
    The same comments in any order give the same themes for the same `random_state`.

    Learnt: `labels_` (int array, -1 only for a comment that says nothing), `sublabels_` (the same
    with sub-themes where there are any), `memberships_` (all themes of each comment, the main one
    first), `confidence_` (0-1), `themes_` (list of `Theme`: first the themes, whose ids are the
    numbers in `labels_`, then the sub-themes), `emerging_` (by theme id, what is new since the
    `previous` model).
    """

    def __init__(
        self,
        n_themes: int | None = None,
        random_state: int = 0,
        sample_size: int = 4000,
        read_whole: int = 15_000,
        exclude: Sequence[str] = (),
        use_encoder: bool = True,
    ) -> None:
        self.n_themes = n_themes
        self.random_state = random_state
        self.sample_size = sample_size
        self.read_whole = read_whole
        self.exclude = exclude
        self.use_encoder = use_encoder

    def fit(
        self,
        comments: Iterable[str | None],
        y: object = None,
        previous: ThemeModel | None = None,
    ) -> Self:
        """Learns themes from comments; raises ValueError for an `n_themes` below 1.

        With a `previous` model its themes keep their ids and labels and move a little towards the
        new comments; a group that was not there before becomes a new theme.
        """
        if self.n_themes is not None and self.n_themes < 1:
            raise ValueError("n_themes must be 1 or more, or None to let the comments decide.")
        texts = [clean.tidy(comment) for comment in comments]
        keys = [clean.key(text) for text in texts]
        texts_of = _first_texts(keys, texts)
        sample = self._sample(texts_of)
        before = previous if previous is not None and previous.reader_ else None
        # One thread: the order of a parallel sum would change the last digits between two runs.
        with threadpool_limits(limits=1):
            self.emerging_ = self._learn(sample, before)
            found = self._assign(keys)
            if before is None:
                found = self._number_by_size(found)
            self.memberships_ = self._memberships(texts, found.labels)
            self.sublabels_ = self._sublabels(keys, found.labels)
        self.labels_, self.confidence_ = found.labels, found.confidence
        self.themes_ = self._describe(keys, found, sample, before)
        return self

    def predict(self, comments: Iterable[str | None]) -> np.ndarray:
        """The theme id of each comment, -1 where it says nothing."""
        return self.assign(comments)[0]

    def assign(self, comments: Iterable[str | None]) -> tuple[np.ndarray, np.ndarray]:
        """The theme id and the confidence (0-1) of each comment."""
        keys = [clean.key(clean.tidy(comment)) for comment in comments]
        with threadpool_limits(limits=1):
            found = self._assign(keys)
        return found.labels, found.confidence

    def memberships(self, comments: Iterable[str | None]) -> list[tuple[int, ...]]:
        """All themes of each comment, the main one first: two complaints count in both."""
        texts = [clean.tidy(comment) for comment in comments]
        with threadpool_limits(limits=1):
            found = self._assign([clean.key(text) for text in texts])
            return self._memberships(texts, found.labels)

    def to_state(self) -> tuple[dict[str, Any], bytes]:
        """A JSON-able dict and npz bytes, enough for `from_state` to predict the same.

        Quotes are left out: erasing a customer's words must not mean editing a model.
        """
        parameters = self.get_params(deep=False) | {"exclude": list(self.exclude)}
        themes = [asdict(theme) | {"quotes": []} for theme in self.themes_]
        steps, arrays = self.reader_.to_state() if self.reader_ else ({}, {})
        state = {"version": STATE_VERSION, "parameters": parameters, "themes": themes}
        return {**state, "steps": steps}, pack(arrays)

    @classmethod
    def from_state(cls, state: dict[str, Any], data: bytes) -> Self:
        """The model of `to_state`, with `themes_` and `predict`, without the fit's `labels_`.

        Raises ValueError for a state of another version: fit again then.
        """
        if state.get("version") != STATE_VERSION:
            raise ValueError("This theme model was saved by another version: fit it again.")
        model = cls(**state["parameters"])
        model.themes_ = [Theme(**theme) for theme in state["themes"]]
        model.reader_ = Reader.restored(state["steps"], unpack(data)) if state["steps"] else None
        return model

    def _sample(self, texts_of: dict[str, str]) -> dict[str, str]:
        """What is learnt from: all comments, or those with the smallest digests."""
        keys = sorted(texts_of, key=digest)
        if len(keys) > max(self.read_whole, self.sample_size):
            keys = keys[: self.sample_size]
        return {key: texts_of[key] for key in keys}

    def _learn(self, sample: dict[str, str], before: ThemeModel | None) -> dict[int, Emerging]:
        self.reader_: Reader | None = None
        if before is not None and before.reader_ is not None:
            self.reader_ = before.reader_.copy()
            return self.reader_.go_on(sample)
        if sample:
            self.reader_ = Reader(self.random_state, self.use_encoder).learn(sample, self.n_themes)
        return {}

    def _assign(self, keys: Sequence[str]) -> Assignment:
        """Assigns each distinct key once, in blocks that keep the memory flat."""
        distinct = sorted(set(keys) - {""})
        if not distinct or not self.reader_:
            return Assignment.nothing(len(keys))
        blocks = (distinct[start : start + _BLOCK] for start in range(0, len(distinct), _BLOCK))
        found = Assignment.join([self.reader_.assign(block) for block in blocks])
        place = {key: number for number, key in enumerate(distinct)}
        return found.spread(np.array([place.get(key, -1) for key in keys]))

    def _number_by_size(self, found: Assignment) -> Assignment:
        """Gives the biggest theme id 0."""
        if not self.reader_:
            return found
        sizes = np.bincount(found.labels[found.labels >= 0], minlength=self.reader_.count)
        order = np.argsort(-sizes, kind="stable")
        self.reader_.reorder(order)
        return found.renumber(order)

    def _memberships(self, texts: Sequence[str], main: np.ndarray) -> list[tuple[int, ...]]:
        parts = [
            [clean.key(part) for part in clauses(text)] if theme >= 0 else []
            for text, theme in zip(texts, main, strict=True)
        ]
        found = self._assign([key for keys in parts for key in keys])
        sure = iter(np.where(found.confidence >= _SECOND, found.labels, NO_THEME).tolist())
        memberships = []
        for keys, theme in zip(parts, main.tolist(), strict=True):
            others = [next(sure) for _ in keys]
            themes = dict.fromkeys([theme, *(other for other in others if other >= 0)])
            memberships.append(tuple(themes) if theme >= 0 else ())
        return memberships

    def _sublabels(self, keys: Sequence[str], labels: np.ndarray) -> np.ndarray:
        if not self.reader_ or not self.reader_.parents:
            return labels.copy()
        places = [place for place, label in enumerate(labels) if label >= 0]
        fine = labels.copy()
        for start in range(0, len(places), _BLOCK):
            part = places[start : start + _BLOCK]
            fine[part] = self.reader_.subdivide([keys[place] for place in part], labels[part])
        return fine

    def _describe(
        self,
        keys: Sequence[str],
        found: Assignment,
        sample: dict[str, str],
        before: ThemeModel | None,
    ) -> list[Theme]:
        """Names the themes and sub-themes by the sampled comments, given as text by key."""
        if not sample or not self.reader_:
            return []
        parents: list[int | None] = [None] * self.reader_.count + list(self.reader_.parents)
        labels = found.labels
        names = self._names(keys, labels, sample, range(self.reader_.count))
        if self.reader_.parents:
            subs = range(self.reader_.count, len(parents))
            names |= self._names(keys, self.sublabels_, sample, subs, names)
        kept = self._kept(before)
        themes = []
        for theme, parent in enumerate(parents):
            own = (labels if parent is None else self.sublabels_) == theme
            nearest = {
                keys[place]: float(found.similarity[place])
                for place in np.flatnonzero(own).tolist()
                if keys[place] in sample
            }
            quotes = typical_quotes([sample[key] for key in nearest], list(nearest.values()))
            cohesion = round(float(found.similarity[own].mean()), 4) if own.any() else 0.0
            name = names[theme]
            label = kept.get(theme, name.label)
            themes.append(
                Theme(theme, label, name.keywords, quotes, int(own.sum()), cohesion, parent)
            )
        return themes

    def _kept(self, before: ThemeModel | None) -> dict[int, str]:
        """The labels of the previous model by the ids that its themes have now."""
        if before is None or not self.reader_:
            return {}
        tops = [theme.label for theme in before.themes_ if theme.parent is None]
        subs = [theme.label for theme in before.themes_ if theme.parent is not None]
        return dict(enumerate(tops)) | dict(enumerate(subs, start=self.reader_.count))

    def _names(
        self,
        keys: Sequence[str],
        labels: np.ndarray,
        sample: dict[str, str],
        themes: Iterable[int],
        taken: dict[int, Naming] | None = None,
    ) -> dict[int, Naming]:
        assert self.reader_ is not None  # noqa: S101 - nothing is named before it was read
        phrases = Phrases(self.reader_.language, self.exclude)
        members: dict[int, set[str]] = defaultdict(set)
        for key, theme in zip(keys, labels.tolist(), strict=True):
            if key in sample:
                members[theme].add(key)
        for theme in themes:
            for key in sorted(members[theme]):
                phrases.read(sample[key], theme)
        return name_groups(phrases, themes, [name.label for name in (taken or {}).values()])


def _first_texts(keys: Sequence[str], texts: Sequence[str]) -> dict[str, str]:
    """One text for each key that is not empty: the first by alphabet, whatever their order."""
    first: dict[str, str] = {}
    for key, text in zip(keys, texts, strict=True):
        if key:
            first[key] = min(text, first.get(key, text))
    return first
