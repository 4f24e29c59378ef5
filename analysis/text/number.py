"""How many themes there are: as many as cut the fewest ties between neighbouring comments."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
from scipy import sparse
from sklearn.cluster import KMeans
from sklearn.preprocessing import OneHotEncoder

FEWEST, MOST = 8, 40
_TRIED = 12
_SEEDS = 3
_NEAR_THE_BEST = 0.03


def candidate_counts(rows: int) -> list[int]:
    """Numbers of groups worth trying: 8 to 40, fewer below some 300 rows, by the square root."""
    lowest = max(1, min(FEWEST, round(0.45 * rows**0.5)))
    highest = max(lowest, min(MOST, round(0.65 * rows**0.5)))
    return sorted({round(count) for count in np.geomspace(lowest, highest, _TRIED)})


def modularity(graph: sparse.csr_matrix, labels: np.ndarray) -> float:
    """How much more of the graph's weight lies inside the groups than chance would put there.

    Newman and Girvan (2004), "Finding and evaluating community structure in networks"; at most 1.
    """
    members = OneHotEncoder().fit_transform(labels[:, None])
    weight = np.asarray(graph.sum(axis=1)).ravel()
    inside = (members.T @ graph @ members).diagonal()
    return float((inside / weight.sum() - ((members.T @ weight) / weight.sum()) ** 2).sum())


def choose_count(
    spaces: Sequence[np.ndarray],
    graph: sparse.csr_matrix,
    candidates: Sequence[int],
    random_state: int = 0,
) -> int:
    """The number of groups, found in each of the spaces, with the best modularity on the graph.

    Around the best the curve is flat and noisy, so the top of a parabola through the candidates
    near it decides: another draw of the comments then gives nearly the same number.
    """
    if len(candidates) == 1:
        return candidates[0]
    runs = list(product(spaces, range(_SEEDS)))
    scores = np.array(
        [
            np.mean([_score(rows, graph, count, random_state + seed) for rows, seed in runs])
            for count in candidates
        ]
    )
    near = scores >= scores.max() - _NEAR_THE_BEST * abs(scores.max())
    if near.sum() < 4:
        return candidates[int(scores.argmax())]
    places = np.log(candidates)
    bend, slope, _ = np.polyfit(places[near], scores[near], 2)
    top = -slope / (2 * bend) if bend < 0 else places[scores.argmax()]
    return round(float(np.exp(np.clip(top, places[0], places[-1]))))


def _score(rows: np.ndarray, graph: sparse.csr_matrix, count: int, seed: int) -> float:
    return modularity(graph, KMeans(count, n_init=1, random_state=seed).fit_predict(rows))
