"""Groups that a committee of clusterings agrees on."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
from scipy import sparse
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import OneHotEncoder, normalize

from analysis.text.diffusion import condense, diffuse, neighbour_graph, spectrum
from analysis.text.number import FEWEST, candidate_counts, choose_count, modularity

DIMENSIONS = 100
DECIDING = 3000  # rows that decide on the number of groups, however many there are
_SHORT_WALK, _LONG_WALK = 8, 20
_TURNS = 4
_FINER = 1.5  # every second clustering of the committee sees more groups than are asked for
_MOST_PARTS, _CLEAR, _NEARLY = 4, 0.45, 0.05
_FEWEST_ROWS = 8  # fewer have no neighbourhood


@dataclass
class Neighbourhood:
    """Unit rows, in an order that depends on nothing but their content, and what is near what."""

    rows: np.ndarray
    random_state: int = 0

    @cached_property
    def graph(self) -> sparse.csr_matrix:
        return neighbour_graph(self.rows)

    @cached_property
    def near(self) -> np.ndarray:
        """The rows after a short walk, about their mean: those of one group lie together."""
        return condense(self._walked - self._walked.mean(axis=0), DIMENSIONS)

    @cached_property
    def far(self) -> np.ndarray:
        """The rows after a long walk, about their mean."""
        moved = self._walk(_LONG_WALK)
        return condense(moved - moved.mean(axis=0), DIMENSIONS)

    @cached_property
    def directions(self) -> np.ndarray:
        """The rows after a short walk, of unit length: their cosines say what they share."""
        return normalize(condense(self._walked, DIMENSIONS))

    @cached_property
    def _walked(self) -> np.ndarray:
        return self._walk(_SHORT_WALK)

    def _walk(self, steps: int) -> np.ndarray:
        few = len(self.rows) < _FEWEST_ROWS
        return self.rows if few else diffuse(self.rows, self.graph, steps)

    def count(self) -> int:
        """The number of groups that the rows themselves ask for."""
        if len(self.rows) < _FEWEST_ROWS:
            return 1
        part = self
        if len(self.rows) > DECIDING:
            drawn = np.random.default_rng(self.random_state).permutation(len(self.rows))[:DECIDING]
            part = Neighbourhood(self.rows[np.sort(drawn)], self.random_state)
        candidates = candidate_counts(len(part.rows))
        return choose_count([part.near, part.far], part.graph, candidates, self.random_state)

    def parts(self, smallest: int) -> np.ndarray | None:
        """A group for each row where they fall apart clearly into 2-4 of some size, else None."""
        most = min(_MOST_PARTS, len(self.rows) // smallest)
        if most < 2:
            return None
        found = [self._clustered(self.near, count, 0, starts=2) for count in range(2, most + 1)]
        scores = np.array([modularity(self.graph, labels) for labels in found])
        fewest = int(np.flatnonzero(scores >= scores.max() - _NEARLY)[0])
        return found[fewest] if scores[fewest] >= _CLEAR else None

    def groups(self, count: int) -> np.ndarray:
        """A group for each row: 0 to `count` - 1, or fewer where fewer rows differ.

        Several clusterings in three spaces vote on which rows belong together, and the votes are
        clustered (Strehl and Ghosh 2002, "Cluster ensembles"): steadier than each of them.
        """
        distinct = len(np.unique(self.rows.round(5), axis=0))
        if count >= distinct:
            return np.unique(self.rows.round(5), axis=0, return_inverse=True)[1].ravel()
        if count == 1 or len(self.rows) < _FEWEST_ROWS:
            return self._clustered(self.rows, count, self.random_state, starts=4)
        votes = sparse.hstack(list(self._votes(count))).tocsr()
        votes = votes @ sparse.diags(1 / np.sqrt(np.asarray(votes.sum(axis=0)).ravel()))
        agreed = normalize(condense(votes, count))
        labels = self._clustered(agreed, count, self.random_state, starts=4)
        if len(np.unique(labels)) == count:
            return labels
        return self._clustered(self.rows, count, self.random_state, starts=4)

    def _votes(self, count: int) -> Iterator[sparse.csr_matrix]:
        smooth = spectrum(self.graph, max(FEWEST, count // 2))
        for rows, turn in product([self.near, self.far, smooth], range(_TURNS)):
            asked = round(count * _FINER) if turn % 2 else count
            labels = self._clustered(rows, min(asked, len(rows)), self.random_state + turn)
            yield OneHotEncoder().fit_transform(labels[:, None])

    @staticmethod
    def _clustered(rows: np.ndarray, count: int, seed: int, starts: int = 1) -> np.ndarray:
        with warnings.catch_warnings():
            # Equal rows may leave a clustering short of groups; the votes of the others stand.
            warnings.simplefilter("ignore", ConvergenceWarning)
            return KMeans(count, n_init=starts, random_state=seed).fit_predict(rows)
