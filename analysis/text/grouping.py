"""KMeans with a number of groups that stays the same when the comments are drawn again."""

from __future__ import annotations

import math
from itertools import combinations
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import normalize

FEWEST, MOST = 8, 40
_TRIED = 10
_DRAWS = 5
_DRAWN_SHARE = 0.6
# What a doubling of the number has to earn: fewer themes are easier to act on.
_PRICE_OF_DOUBLING = 0.1


def candidate_counts(rows: int) -> list[int]:
    """Numbers of groups worth trying: 8 to 40, fewer below some 300 rows, by the square root."""
    lowest = max(1, min(FEWEST, round(0.45 * rows**0.5)))
    highest = max(lowest, min(MOST, round(0.65 * rows**0.5)))
    return sorted({round(count) for count in np.geomspace(lowest, highest, _TRIED)})


def stability(rows: np.ndarray, count: int, draws: list[np.ndarray], seed: int) -> float:
    """Mean adjusted Rand index between groupings learnt on different draws, 1 = always the same."""
    groupings = [
        KMeans(count, n_init=1, random_state=seed + turn).fit(rows[draw]).predict(rows)
        for turn, draw in enumerate(draws)
    ]
    return float(np.mean([adjusted_rand_score(a, b) for a, b in combinations(groupings, 2)]))


def separation(distances: np.ndarray) -> float:
    """Mean simplified silhouette: how much nearer the own centre is than the next, 0-1.

    Hruschka, de Castro and Campello (2004). `distances` has shape (rows, groups).
    """
    if distances.shape[1] < 2:
        return 0.0
    nearest = np.partition(distances, 1, axis=1)
    return float(np.mean(1 - nearest[:, 0] / np.maximum(nearest[:, 1], 1e-9)))


def choose_count(rows: np.ndarray, random_state: int = 0) -> int:
    """The candidate with the best stability plus separation, less a small price for more groups."""
    candidates = candidate_counts(len(rows))
    if len(candidates) == 1:
        return candidates[0]
    rng = np.random.default_rng(random_state)
    drawn = max(candidates[-1], round(_DRAWN_SHARE * len(rows)))
    draws = [rng.permutation(len(rows))[:drawn] for _ in range(_DRAWS)]
    scores = [
        stability(rows, count, draws, random_state)
        + separation(KMeans(count, n_init=2, random_state=random_state).fit_transform(rows))
        - _PRICE_OF_DOUBLING * math.log2(count)
        for count in candidates
    ]
    return candidates[int(np.argmax(_smoothed(scores)))]


def _smoothed(scores: list[float]) -> np.ndarray:
    """Each score averaged with its neighbours: a lucky draw must not decide."""
    padded = np.pad(scores, 1, mode="edge")
    return (padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4


class Grouping(BaseEstimator, ClusterMixin):
    """Spherical groups of unit rows: KMeans centres, compared by cosine."""

    def __init__(self, n_groups: int | None = None, random_state: int = 0) -> None:
        self.n_groups = n_groups
        self.random_state = random_state

    def fit(self, rows: np.ndarray, y: object = None) -> Self:
        count = self.n_groups or choose_count(rows, self.random_state)
        distinct = len(np.unique(rows.round(6), axis=0))
        kmeans = KMeans(min(count, distinct), n_init=4, random_state=self.random_state).fit(rows)
        self.centres_ = normalize(kmeans.cluster_centers_).astype(np.float32)
        self.labels_ = self.predict(rows)
        return self

    def similarity(self, rows: np.ndarray) -> np.ndarray:
        """Cosine of each row with each group's centre, shape (rows, groups)."""
        return rows @ self.centres_.T

    def predict(self, rows: np.ndarray) -> np.ndarray:
        return self.similarity(rows).argmax(axis=1)

    def reorder(self, order: np.ndarray) -> Self:
        """Renumbers the groups: `order[new] = old`; groups left out of `order` disappear."""
        self.centres_ = self.centres_[order]
        return self

    def to_state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        return {}, {"centres": self.centres_}

    def restore(self, state: dict[str, Any], arrays: dict[str, np.ndarray]) -> Self:
        self.centres_ = arrays["centres"]
        return self
