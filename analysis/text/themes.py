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
from analysis.text.assignment import Assignment
from analysis.text.diffusion import DiffusionSpace
from analysis.text.features import LexicalFeatures
from analysis.text.grouping import Grouping
from analysis.text.naming import Phrases, name_groups, typical_quotes
from analysis.text.state import pack, unpack

STATE_VERSION = 1
_BLOCK = 20_000


@dataclass
class Theme:
    """One theme: `size` comments of the fit, `cohesion` their mean cosine with the centre, 0-1."""

    id: int
    label: str
    keywords: list[str]
    quotes: list[str]
    size: int
    cohesion: float


class ThemeModel(BaseEstimator, ClusterMixin):
    """Groups comments into themes with words, characters, diffusion and KMeans.

    `n_themes` is obeyed as far as there are distinct comments; None lets the comments decide
    (8-40, fewer below some 300). It learns from `sample_size` distinct comments and assigns all.
    `exclude` holds words that never make a label or a keyword, such as the company's name.
    The same comments in any order give the same themes for the same `random_state`.

    Learnt: `labels_` (int array, -1 only for a comment that says nothing), `confidence_` (0-1),
    `themes_` (list of `Theme`; a theme's id is its place in the list and the number in `labels_`).
    """

    def __init__(
        self,
        n_themes: int | None = None,
        random_state: int = 0,
        sample_size: int = 6000,
        exclude: Sequence[str] = (),
    ) -> None:
        self.n_themes = n_themes
        self.random_state = random_state
        self.sample_size = sample_size
        self.exclude = exclude

    def fit(self, comments: Iterable[str | None], y: object = None) -> Self:
        """Learns themes from comments; raises ValueError for an `n_themes` below 1."""
        if self.n_themes is not None and self.n_themes < 1:
            raise ValueError("n_themes must be 1 or more, or None to let the comments decide.")
        texts = [clean.tidy(comment) for comment in comments]
        keys = [clean.key(text) for text in texts]
        texts_of = _first_texts(keys, texts)
        # One thread: the order of a parallel sum would change the last digits between two runs.
        with threadpool_limits(limits=1):
            sample = self._learn(sorted(texts_of))
            found = self._number_by_size(self._assign(keys))
        self.labels_, self.confidence_ = found.labels, found.confidence
        self.themes_ = self._describe(keys, found, {key: texts_of[key] for key in sample})
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

    def to_state(self) -> tuple[dict[str, Any], bytes]:
        """A JSON-able dict and npz bytes, enough for `from_state` to predict the same.

        Quotes are left out: erasing a customer's words must not mean editing a model.
        """
        parameters = self.get_params(deep=False) | {"exclude": list(self.exclude)}
        themes = [asdict(theme) | {"quotes": []} for theme in self.themes_]
        steps: dict[str, Any] = {}
        arrays: dict[str, np.ndarray] = {}
        for name, step in self._steps().items():
            steps[name], own = step.to_state()
            arrays |= {f"{name}.{key}": array for key, array in own.items()}
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
        if state["steps"]:
            model._build()
            arrays = unpack(data)
            for name, step in model._steps().items():
                step.restore(state["steps"][name], _under(f"{name}.", arrays))
        return model

    def _build(self) -> None:
        self.features_ = LexicalFeatures(random_state=self.random_state)
        self.space_ = DiffusionSpace()
        self.grouping_ = Grouping(self.n_themes, self.random_state)

    def _steps(self) -> dict[str, Any]:
        """The parts that a comment passes through, in order; none where nothing could be learnt."""
        if not hasattr(self, "grouping_"):
            return {}
        return {"features": self.features_, "space": self.space_, "grouping": self.grouping_}

    def _learn(self, keys: list[str]) -> list[str]:
        """Fits the steps on a sample of the sorted distinct comments and returns the sample."""
        for step in self._steps():
            delattr(self, f"{step}_")
        drawn = np.random.default_rng(self.random_state).permutation(len(keys))[: self.sample_size]
        sample = [keys[place] for place in sorted(drawn)]
        if sample:
            self._build()
            rows = self.features_.fit(sample).transform(sample)
            self.grouping_.fit(self.space_.fit(rows).transform(rows))
        return sample

    def _assign(self, keys: Sequence[str]) -> Assignment:
        """Assigns each distinct key once, in blocks that keep the memory flat."""
        distinct = sorted(set(keys) - {""})
        if not distinct or not self._steps():
            return Assignment.nothing(len(keys))
        blocks = (distinct[start : start + _BLOCK] for start in range(0, len(distinct), _BLOCK))
        found = Assignment.join([self._assign_block(block) for block in blocks])
        place = {key: number for number, key in enumerate(distinct)}
        return found.spread(np.array([place.get(key, -1) for key in keys]))

    def _assign_block(self, keys: Sequence[str]) -> Assignment:
        rows = self.space_.transform(self.features_.transform(keys))
        return Assignment.nearest(self.grouping_.similarity(rows))

    def _number_by_size(self, found: Assignment) -> Assignment:
        """Gives the biggest theme id 0 and drops a theme in which no comment ended."""
        if not self._steps():
            return found
        sizes = np.bincount(found.labels[found.labels >= 0])
        order = np.array([theme for theme in np.argsort(-sizes, kind="stable") if sizes[theme]])
        self.grouping_.reorder(order)
        return found.renumber(order)

    def _describe(
        self, keys: Sequence[str], found: Assignment, sample: dict[str, str]
    ) -> list[Theme]:
        """Names the themes by the sampled comments, given as text by key."""
        if not sample:
            return []
        phrases = Phrases(self.features_.language_, self.exclude)
        members: dict[int, dict[str, float]] = defaultdict(dict)
        for key, theme, similarity in zip(keys, found.labels, found.similarity, strict=True):
            if key in sample:
                members[int(theme)][key] = float(similarity)
        ids = range(len(self.grouping_.centres_))
        for theme in ids:
            for key in sorted(members[theme]):
                phrases.read(sample[key], theme)
        names = name_groups(phrases, ids)
        themes = []
        for theme in ids:
            texts = [sample[key] for key in members[theme]]
            quotes = typical_quotes(texts, list(members[theme].values()))
            own = found.similarity[found.labels == theme]
            name, cohesion = names[theme], round(float(own.mean()), 4)
            themes.append(Theme(theme, name.label, name.keywords, quotes, len(own), cohesion))
        return themes


def _first_texts(keys: Sequence[str], texts: Sequence[str]) -> dict[str, str]:
    """One text for each key that is not empty: the first by alphabet, whatever their order."""
    first: dict[str, str] = {}
    for key, text in zip(keys, texts, strict=True):
        if key:
            first[key] = min(text, first.get(key, text))
    return first


def _under(prefix: str, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {
        name.removeprefix(prefix): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }
