import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from analysis.text.grouping import Neighbourhood


def blobs(groups: int, each: int = 40, spread: float = 0.05) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    labels = np.repeat(np.arange(groups), each)
    rows = np.eye(groups)[labels] + rng.normal(0, spread, (groups * each, groups))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), labels


def test_clear_groups_are_counted_and_found():
    rows, labels = blobs(groups=12)
    hood = Neighbourhood(rows)
    assert hood.count() == pytest.approx(12, abs=2)
    assert adjusted_rand_score(labels, hood.groups(12)) > 0.95


def test_an_explicit_number_is_obeyed_as_far_as_rows_differ():
    rows, _ = blobs(groups=10, spread=0.0)
    assert len(set(Neighbourhood(rows).groups(7))) == 7
    assert len(set(Neighbourhood(rows).groups(50))) == 10


@pytest.mark.parametrize("rows", [1, 2, 5, 9])
def test_a_few_rows_are_grouped_too(rows):
    hood = Neighbourhood(np.eye(rows, dtype=np.float32))
    assert hood.count() in (1, 2)
    assert len(set(hood.groups(1))) == 1


def test_what_falls_apart_is_divided_and_what_does_not_is_left_whole():
    rows, labels = blobs(groups=3, each=50)
    parts = Neighbourhood(rows).parts(smallest=20)
    assert adjusted_rand_score(labels, parts) > 0.95
    assert Neighbourhood(rows[:30]).parts(smallest=20) is None
