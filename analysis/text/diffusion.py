"""A space in which neighbours have moved together, so that plain KMeans finds the groups."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import Ridge
from sklearn.preprocessing import normalize

_BLOCK = 2000
_SMALLEST = 1e-6


def neighbour_graph(rows: np.ndarray, neighbours: int) -> sparse.csr_matrix:
    """Row-stochastic graph of each unit row's nearest others, weighted by cosine cubed."""
    total = len(rows)
    nearest = np.empty((total, neighbours), dtype=np.int64)
    weight = np.empty((total, neighbours), dtype=np.float32)
    for start in range(0, total, _BLOCK):
        similarity = rows[start : start + _BLOCK] @ rows.T
        stop = start + len(similarity)
        similarity[np.arange(len(similarity)), np.arange(start, stop)] = -np.inf
        found = np.argpartition(-similarity, neighbours - 1, axis=1)[:, :neighbours]
        nearest[start:stop] = found
        weight[start:stop] = np.take_along_axis(similarity, found, axis=1)
    values = np.maximum(weight, _SMALLEST).ravel() ** 3
    origin = np.repeat(np.arange(total), neighbours)
    graph = sparse.csr_matrix((values, (origin, nearest.ravel())), shape=(total, total))
    return normalize(graph, norm="l1")


def diffuse(rows: np.ndarray, neighbours: int = 15, steps: int = 8, own: float = 0.1) -> np.ndarray:
    """Each unit row moved towards its neighbours `steps` times, keeping a share `own` of itself.

    A random walk with restart on the neighbour graph (Zhou et al. 2004, "Learning with local and
    global consistency"). Fewer than three rows have nothing to be moved by and stay as they are.
    """
    neighbours = min(neighbours, max(2, len(rows) // 10), len(rows) - 1)
    if neighbours < 2:
        return rows
    graph = neighbour_graph(rows, neighbours)
    moved = rows
    for _ in range(steps):
        moved = normalize(own * rows + (1 - own) * (graph @ moved))
    return moved


class DiffusionSpace(BaseEstimator, TransformerMixin):
    """A linear map that imitates the diffusion, so that a new comment needs no neighbours.

    Because training and new comments go through the same map, equal comments get equal vectors.
    """

    def __init__(self, neighbours: int = 15, steps: int = 8, alpha: float = 1.0) -> None:
        self.neighbours = neighbours
        self.steps = steps
        self.alpha = alpha

    def fit(self, rows: np.ndarray, y: object = None) -> Self:
        target = diffuse(rows, self.neighbours, self.steps)
        ridge = Ridge(self.alpha, fit_intercept=False).fit(rows, target)
        self.map_ = np.atleast_2d(ridge.coef_).T.astype(np.float32)
        return self

    def transform(self, rows: np.ndarray) -> np.ndarray:
        """float32 rows of unit length, or zero where a row is zero."""
        return normalize(rows @ self.map_)

    def to_state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        return {}, {"map": self.map_}

    def restore(self, state: dict[str, Any], arrays: dict[str, np.ndarray]) -> Self:
        self.map_ = arrays["map"]
        return self
