"""What a theme model has learnt: features, the centres of the themes, and what it has placed."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Any, Self

import numpy as np
from sklearn.preprocessing import normalize

from analysis.text import encoder
from analysis.text.assignment import Assignment
from analysis.text.clean import spoken
from analysis.text.diffusion import Student
from analysis.text.emerging import Emerging, emerging
from analysis.text.features import LexicalFeatures
from analysis.text.grouping import Neighbourhood
from analysis.text.known import Known

Arrays = dict[str, np.ndarray]

_LEXICAL_WEIGHT = 0.5  # of words and characters, beside the encoder's 1
_REMEMBERED = 2000  # comments whose place is kept, to see later what is new
_PULL = 0.2  # of the new comments on a theme's centre, when a model goes on
_PART, _SMALLEST_PART, _LOOKED_AT = 0.2, 20, 600


class Reader:
    """Places comments, given by key, among the themes."""

    def __init__(self, random_state: int = 0, use_encoder: bool = True) -> None:
        self.random_state = random_state
        self.use_encoder = use_encoder
        self.features = LexicalFeatures(random_state=random_state)
        self.student = Student()
        self.centres = np.empty((0, 0), dtype=np.float32)
        self.sub_centres = np.empty((0, 0), dtype=np.float32)
        self.parents: list[int] = []  # of each sub-theme, the theme
        self.known = Known()
        self.seen = np.empty((0, 0), dtype=np.float16)

    @property
    def count(self) -> int:
        """How many themes there are, sub-themes not counted."""
        return len(self.centres)

    @property
    def language(self) -> str:
        return self.features.language_

    def copy(self) -> Reader:
        return copy(self)

    def learn(self, sample: dict[str, str], n_themes: int | None) -> Self:
        """Finds themes in the sample, text by key."""
        keys = list(sample)
        lexical = self.features.fit(keys).transform(keys)
        meaning = self._meaning(sample, lexical)
        hood = Neighbourhood(_side_by_side(meaning, lexical), self.random_state)
        labels = hood.groups(n_themes or hood.count())
        self.student.fit(lexical, hood.directions)
        rows = self.student.transform(lexical)
        self.centres = _centres(rows, labels)
        self.known = Known.of(keys, labels)
        self.seen = self._remembered(meaning)
        if n_themes is None:
            self._divide(hood.rows, rows, labels)
        return self

    def go_on(self, sample: dict[str, str]) -> dict[int, Emerging]:
        """Moves the themes towards the sample, text by key; returns the new ones by id."""
        keys = list(sample)
        lexical = self.features.transform(keys)
        meaning = self._meaning(sample, lexical)
        rows = self.student.transform(lexical)
        placed = Assignment.nearest(rows @ self.centres.T, self.known.find(keys))
        labels, first = placed.labels.copy(), self.count
        fresh = self.known.find(keys) < 0
        born = emerging(meaning[fresh], self.seen.astype(np.float32), self.random_state)
        for theme, group in enumerate(born, start=first):
            labels[np.flatnonzero(fresh)[group.members]] = theme
        pulled = _centres(rows, labels, self.centres)
        kept = (1 - _PULL) * self.centres + _PULL * pulled[:first]
        self.centres = np.vstack([normalize(kept), pulled[first:]]).astype(np.float32)
        # Sub-themes are numbered after the themes, of which there may be more now.
        self.known = self.known.joined(Known.of(keys, labels))
        self.seen = self._remembered(meaning)
        return dict(enumerate(born, start=first))

    def assign(self, keys: Sequence[str]) -> Assignment:
        rows = self.student.transform(self.features.transform(keys))
        return Assignment.nearest(rows @ self.centres.T, self.known.find(keys))

    def subdivide(self, keys: Sequence[str], labels: np.ndarray) -> np.ndarray:
        """The sub-theme of each key within its theme, or the theme where it has none."""
        near = self.student.transform(self.features.transform(keys)) @ self.sub_centres.T
        parents = np.array(self.parents)
        near[parents[None, :] != labels[:, None]] = -np.inf
        best = near.argmax(axis=1)
        return np.where(np.isin(labels, parents), self.count + best, labels)

    def reorder(self, order: np.ndarray) -> None:
        """Renumbers the themes: `order[new] = old`."""
        new = np.empty(len(order), dtype=np.int64)
        new[order] = np.arange(len(order))
        self.centres = self.centres[order]
        self.known = Known({key: int(new[theme]) for key, theme in self.known.themes.items()})
        parents = new[self.parents] if self.parents else np.empty(0, dtype=np.int64)
        by_parent = np.argsort(parents, kind="stable")
        self.parents = parents[by_parent].tolist()
        self.sub_centres = self.sub_centres[by_parent] if self.parents else self.sub_centres

    def _meaning(self, sample: dict[str, str], lexical: np.ndarray) -> np.ndarray:
        """The encoder's rows, or the lexical ones where there is no encoder."""
        found = encoder.load() if self.use_encoder else None
        return found.encode([spoken(text) for text in sample.values()]) if found else lexical

    def _remembered(self, meaning: np.ndarray) -> np.ndarray:
        drawn = np.random.default_rng(self.random_state).permutation(len(meaning))[:_REMEMBERED]
        return meaning[np.sort(drawn)].astype(np.float16)

    def _divide(self, rows: np.ndarray, student_rows: np.ndarray, labels: np.ndarray) -> None:
        """Finds the sub-themes of each theme that falls apart clearly."""
        centres = []
        for theme in range(self.count):
            members = np.flatnonzero(labels == theme)[:_LOOKED_AT]
            smallest = max(_SMALLEST_PART, round(_PART * len(members)))
            parts = Neighbourhood(rows[members]).parts(smallest)
            if parts is not None:
                centres.append(_centres(student_rows[members], parts))
                self.parents += [theme] * len(centres[-1])
        if centres:
            self.sub_centres = np.vstack(centres)

    def to_state(self) -> tuple[dict[str, Any], Arrays]:
        """A JSON-able dict, and arrays that hold no objects."""
        features, arrays = self.features.to_state()
        arrays = {f"features.{name}": array for name, array in arrays.items()}
        arrays |= {f"known.{name}": array for name, array in self.known.arrays().items()}
        own = {"map": self.student.map_, "centres": self.centres, "sub_centres": self.sub_centres}
        state = {
            "features": features,
            "parents": self.parents,
            "random_state": self.random_state,
            "use_encoder": self.use_encoder,
        }
        return state, {**arrays, **own, "seen": self.seen}

    @classmethod
    def restored(cls, state: dict[str, Any], arrays: Arrays) -> Self:
        reader = cls(state["random_state"], state["use_encoder"])
        reader.features.restore(state["features"], _under("features.", arrays))
        reader.student.map_ = arrays["map"]
        reader.centres, reader.sub_centres = arrays["centres"], arrays["sub_centres"]
        reader.parents = list(state["parents"])
        reader.known = Known.restored(_under("known.", arrays))
        reader.seen = arrays["seen"]
        return reader


def _side_by_side(meaning: np.ndarray, lexical: np.ndarray) -> np.ndarray:
    if meaning is lexical:
        return lexical
    return normalize(np.hstack([meaning, _LEXICAL_WEIGHT * lexical]))


def _centres(rows: np.ndarray, labels: np.ndarray, before: np.ndarray | None = None) -> np.ndarray:
    """The mean direction of each group; that of `before` for a group without rows."""
    count = max(int(labels.max(initial=-1)) + 1, 0 if before is None else len(before))
    sums = np.zeros((count, rows.shape[1]))
    np.add.at(sums, labels, rows)
    empty = np.bincount(labels, minlength=count) == 0
    if before is not None:
        sums[: len(before)][empty[: len(before)]] = before[empty[: len(before)]]
    return normalize(sums).astype(np.float32)


def _under(prefix: str, arrays: Arrays) -> Arrays:
    return {
        name.removeprefix(prefix): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }
