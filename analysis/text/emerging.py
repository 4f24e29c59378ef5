"""Groups of comments that were hardly there before: what customers have begun to talk about."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from sklearn.preprocessing import normalize

from analysis.text.diffusion import NEIGHBOURS, nearest
from analysis.text.grouping import Neighbourhood

GROWN = 3.0  # times its share among the earlier comments
LOOKED_AT = 3000
_LEAST_SHARE = 0.015
_SURE = 1e-4  # of being chance, shared among the groups looked at
_GROUP_SIZE = 40
_ALIKE = 0.6
_MOST_GROUPS = 80


@dataclass(frozen=True)
class Emerging:
    """Places of the new comments in the group, how many times it has grown, and by what chance."""

    members: np.ndarray
    growth: float
    chance: float


def emerging(new: np.ndarray, before: np.ndarray, random_state: int = 0) -> list[Emerging]:
    """Groups among the unit rows `new` that have few neighbours among `before`, biggest first.

    Where nothing has changed, the neighbours of a new comment are old and new in the proportion of
    the two samples (Schilling 1986, "Multivariate two-sample tests based on nearest neighbors").
    """
    if min(len(new), len(before)) < 10 * _GROUP_SIZE:
        return []
    drawn = np.random.default_rng(random_state).permutation(len(new))[:LOOKED_AT]
    rows = new[np.sort(drawn)]
    found, _ = nearest(rows, np.vstack([rows, before]), NEIGHBOURS + 1)
    old = (found[:, 1:] >= len(rows)).mean(axis=1)
    expected = len(before) / (len(rows) + len(before))
    labels = Neighbourhood(rows, random_state).groups(min(_MOST_GROUPS, len(rows) // _GROUP_SIZE))
    grown = [group for group in range(labels.max() + 1) if _grown(old[labels == group], expected)]
    return _whole(new, rows, labels, _joined(rows, labels, grown), old, expected)


def _growth(old: np.ndarray, expected: float) -> float:
    share = (old.sum() + 1 / NEIGHBOURS) / (len(old) + 2 / NEIGHBOURS)
    return expected / (1 - expected) * (1 - share) / share


def _chance(old: np.ndarray, expected: float) -> float:
    """One-sided, by the normal approximation; neighbours count as one witness a comment."""
    spread = math.sqrt(expected * (1 - expected) / len(old))
    return 0.5 * math.erfc((expected - float(old.mean())) / spread / math.sqrt(2))


def _grown(old: np.ndarray, expected: float) -> bool:
    return _growth(old, expected) >= GROWN and _chance(old, expected) < _SURE


def _joined(rows: np.ndarray, labels: np.ndarray, groups: list[int]) -> list[list[int]]:
    """Groups that lie close together are parts of one."""
    centres = {group: normalize(rows[labels == group].mean(axis=0)[None])[0] for group in groups}
    joined: list[list[int]] = []
    for group in groups:
        near = [
            other
            for other in joined
            if max(centres[group] @ centres[one] for one in other) > _ALIKE
        ]
        joined = [other for other in joined if other not in near]
        joined.append([group, *(one for other in near for one in other)])
    return joined


def _whole(
    new: np.ndarray,
    rows: np.ndarray,
    labels: np.ndarray,
    joined: list[list[int]],
    old: np.ndarray,
    expected: float,
) -> list[Emerging]:
    """Every new row whose nearest looked-at rows are mostly of the group belongs to it."""
    if not joined:
        return []
    found, _ = nearest(new, rows, min(NEIGHBOURS, len(rows)))
    whole = []
    for groups in joined:
        inside = np.isin(labels, groups)
        members = np.flatnonzero(inside[found].mean(axis=1) > 0.5)
        if len(members) >= _LEAST_SHARE * len(new):
            of_group = old[inside]
            growth = _growth(of_group, expected)
            whole.append(Emerging(members, growth, _chance(of_group, expected)))
    return sorted(whole, key=lambda group: (-len(group.members), int(group.members[0])))
