import numpy as np
import pytest
from scipy import sparse

from analysis.text import number


@pytest.mark.parametrize(("rows", "lowest", "highest"), [(1, 1, 1), (60, 3, 5), (300, 8, 11)])
def test_few_comments_have_few_themes(rows, lowest, highest):
    candidates = number.candidate_counts(rows)
    assert (candidates[0], candidates[-1]) == (lowest, highest)


@pytest.mark.parametrize("rows", [4000, 100_000])
def test_many_comments_have_8_to_40_themes(rows):
    candidates = number.candidate_counts(rows)
    assert (candidates[0], candidates[-1]) == (8, 40)


def test_modularity_is_the_weight_inside_beyond_chance():
    pairs = np.zeros((4, 4))
    pairs[0, 1] = pairs[1, 0] = pairs[2, 3] = pairs[3, 2] = 1
    graph = sparse.csr_matrix(pairs)
    assert number.modularity(graph, np.array([0, 0, 1, 1])) == pytest.approx(0.5)
    assert number.modularity(graph, np.array([0, 0, 0, 0])) == pytest.approx(0.0)
    assert number.modularity(graph, np.array([0, 1, 0, 1])) == pytest.approx(-0.5)


def test_the_number_with_the_best_modularity_is_chosen():
    rows = np.repeat(np.eye(5), 30, axis=0) + np.random.default_rng(1).normal(0, 0.02, (150, 5))
    graph = sparse.csr_matrix(np.kron(np.eye(5), np.ones((30, 30))))
    assert number.choose_count([rows], graph, [2, 5, 12]) == 5
    assert number.choose_count([rows], graph, [7]) == 7
