import numpy as np
import pytest

from analysis.text.emerging import emerging


def cloud(groups: list[int], each: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    rows = np.eye(12)[np.repeat(groups, each)] + rng.normal(0, 0.15, (len(groups) * each, 12))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


BEFORE = cloud(list(range(8)), 100, seed=1)


def test_a_group_that_was_not_there_is_found_whole():
    now = np.vstack([cloud(list(range(8)), 100, seed=2), cloud([9], 60, seed=3)])
    (group,) = emerging(now, BEFORE)
    assert np.isin(group.members, np.arange(800, 860)).mean() > 0.9
    assert len(group.members) > 50
    assert group.growth > 3
    assert group.chance < 1e-4


@pytest.mark.parametrize("seed", [2, 3, 4])
def test_more_of_the_same_is_not_new(seed):
    assert emerging(cloud(list(range(8)), 100, seed), BEFORE) == []


def test_a_handful_of_comments_shows_no_trend():
    assert emerging(cloud([9], 100, seed=2), BEFORE) == []
