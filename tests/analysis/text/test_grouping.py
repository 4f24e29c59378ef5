import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from analysis.text import grouping
from analysis.text.grouping import Grouping


def blobs(groups: int, each: int = 40, spread: float = 0.05) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    labels = np.repeat(np.arange(groups), each)
    rows = np.eye(groups)[labels] + rng.normal(0, spread, (groups * each, groups))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), labels


@pytest.mark.parametrize(("rows", "lowest", "highest"), [(1, 1, 1), (60, 3, 5), (300, 8, 11)])
def test_few_comments_have_few_themes(rows, lowest, highest):
    candidates = grouping.candidate_counts(rows)
    assert (candidates[0], candidates[-1]) == (lowest, highest)


@pytest.mark.parametrize("rows", [4000, 100_000])
def test_many_comments_have_8_to_40_themes(rows):
    candidates = grouping.candidate_counts(rows)
    assert (candidates[0], candidates[-1]) == (8, 40)


def test_clear_groups_are_counted_and_found():
    rows, labels = blobs(groups=12)
    found = Grouping().fit(rows)
    assert len(found.centres_) == pytest.approx(12, abs=1)
    assert adjusted_rand_score(labels, found.labels_) > 0.9


def test_an_explicit_number_is_obeyed_as_far_as_rows_differ():
    rows, _ = blobs(groups=10, spread=0.0)
    assert len(Grouping(7).fit(rows).centres_) == 7
    assert len(Grouping(50).fit(rows).centres_) == 10


def test_stability_is_one_for_groups_that_every_draw_finds():
    rows, _ = blobs(groups=4)
    rng = np.random.default_rng(0)
    draws = [rng.permutation(len(rows))[:100] for _ in range(3)]
    right = grouping.stability(rows, 2, draws, 0), grouping.stability(rows, 1, draws, 0)
    assert right[1] == 1.0
    assert right[0] < 1.0


def test_separation_compares_the_nearest_centre_with_the_next():
    assert grouping.separation(np.array([[1.0, 2.0], [3.0, 1.0]])) == pytest.approx(
        0.5833, abs=1e-4
    )
    assert grouping.separation(np.array([[1.0], [2.0]])) == 0.0
