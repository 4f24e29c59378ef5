"""Comments as a graph of neighbours, and spaces in which neighbours have moved together."""

from __future__ import annotations

from typing import Self

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import eigsh
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import Ridge
from sklearn.preprocessing import normalize
from sklearn.utils.extmath import randomized_svd

NEIGHBOURS = 15
_BLOCK = 500
_HALVINGS = 40
_DENSE = 300  # rows up to which all eigenvectors at once are cheaper and surer than some


def nearest(rows: np.ndarray, others: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Places and cosines of the `count` nearest of `others` to each unit row, nearest first."""
    places = np.empty((len(rows), count), dtype=np.int64)
    cosines = np.empty((len(rows), count), dtype=np.float32)
    for start in range(0, len(rows), _BLOCK):
        part = slice(start, start + _BLOCK)
        near = rows[part] @ others.T
        found = np.argpartition(-near, count - 1, axis=1)[:, :count]
        near = np.take_along_axis(near, found, axis=1)
        order = np.argsort(-near, axis=1, kind="stable")
        places[part] = np.take_along_axis(found, order, axis=1)
        cosines[part] = np.take_along_axis(near, order, axis=1)
    return places, cosines


def neighbour_graph(rows: np.ndarray, neighbours: int = NEIGHBOURS) -> sparse.csr_matrix:
    """Symmetric graph of each unit row's nearest others, weighted 0-1 by local scale.

    Each row weighs its neighbours by how far they are beyond its nearest one, on a scale of its
    own, so that crowded and lonely regions count alike; an edge is weighed by either end. (The
    fuzzy graph of McInnes, Healy and Melville 2018, "UMAP", on cosine distances.)
    """
    total = len(rows)
    neighbours = min(neighbours, max(2, total // 10), total - 1)
    places, cosines = nearest(rows, rows, neighbours + 1)
    itself = places == np.arange(total)[:, None]
    itself[~itself.any(axis=1), -1] = True  # a row with many equals may have missed itself
    places = places[~itself].reshape(total, neighbours)
    beyond = 1 - cosines[~itself].reshape(total, neighbours)
    beyond = np.maximum(beyond - beyond[:, :1], 0)
    weights = np.exp(-beyond / _scales(beyond)[:, None])
    origin = np.repeat(np.arange(total), neighbours)
    graph = sparse.csr_matrix((weights.ravel(), (origin, places.ravel())), shape=(total, total))
    return (graph + graph.T - graph.multiply(graph.T)).tocsr()


def _scales(beyond: np.ndarray) -> np.ndarray:
    """The scale on which each row's weights add up to log2 of their number, by halving."""
    low, high = np.full(len(beyond), 1e-6), np.full(len(beyond), 10.0)
    target = np.log2(beyond.shape[1])
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        too_wide = np.exp(-beyond / middle[:, None]).sum(axis=1) > target
        high, low = np.where(too_wide, middle, high), np.where(too_wide, low, middle)
    return (low + high) / 2


def diffuse(rows: np.ndarray, graph: sparse.csr_matrix, steps: int, own: float = 0.1) -> np.ndarray:
    """Each unit row moved towards its neighbours `steps` times, keeping a share `own` of itself.

    A random walk with restart (Zhou et al. 2004, "Learning with local and global consistency").
    """
    walk = normalize(graph, norm="l1")
    moved = rows
    for _ in range(steps):
        moved = normalize(own * rows + (1 - own) * (walk @ moved))
    return moved.astype(np.float32)


def spectrum(graph: sparse.csr_matrix, dimensions: int) -> np.ndarray:
    """Unit rows of the graph's smoothest `dimensions` functions, the smoother weighing more.

    Ng, Jordan and Weiss (2002), "On spectral clustering".
    """
    total = graph.shape[0]
    scale = sparse.diags(1 / np.sqrt(np.maximum(np.asarray(graph.sum(axis=1)).ravel(), 1e-12)))
    smooth = scale @ graph @ scale
    dimensions = min(dimensions, total)
    if total <= max(_DENSE, 2 * dimensions):
        values, vectors = np.linalg.eigh(smooth.toarray())
    else:
        start = np.random.default_rng(0).random(total)
        values, vectors = eigsh(smooth, k=dimensions, which="LA", v0=start, tol=1e-3)
    order = np.argsort(-values)[:dimensions]
    return normalize(vectors[:, order] * values[order]).astype(np.float32)


def condense(rows: np.ndarray, dimensions: int) -> np.ndarray:
    """The rows in at most so many dimensions, those of most weight (a truncated SVD)."""
    dimensions = min(dimensions, *rows.shape)
    left, values, _ = randomized_svd(rows, dimensions, random_state=0)
    return (left * values).astype(np.float32)


class Student(BaseEstimator, TransformerMixin):
    """A linear map from cheap features to the space that the costly ones were taught in.

    It needs neither the encoder nor neighbours, so that 100,000 comments take seconds.
    """

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = alpha

    def fit(self, rows: np.ndarray, target: np.ndarray) -> Self:
        ridge = Ridge(self.alpha, fit_intercept=False).fit(rows, target)
        self.map_ = np.atleast_2d(ridge.coef_).T.astype(np.float32)
        return self

    def transform(self, rows: np.ndarray) -> np.ndarray:
        """float32 rows of unit length, or zero where a row is zero."""
        return normalize(rows @ self.map_)
