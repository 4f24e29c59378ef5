import numpy as np
import pytest

from analysis.text import clean
from analysis.text.diffusion import (
    Student,
    condense,
    diffuse,
    nearest,
    neighbour_graph,
    spectrum,
)
from analysis.text.features import LexicalFeatures
from tests.analysis.text.comments import COMMENTS, INVOICE

KEYS = [clean.key(comment) for comment in COMMENTS]
SQUARE = np.array([[1, 0], [0.9, 0.1], [0, 1], [0.1, 0.9]], dtype=np.float32)
SQUARE /= np.linalg.norm(SQUARE, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    return LexicalFeatures().fit(KEYS).transform(KEYS)


def test_the_nearest_come_first():
    places, cosines = nearest(SQUARE[:1], SQUARE, 3)
    assert places.tolist() == [[0, 1, 3]]
    assert cosines[0, 0] == pytest.approx(1)
    assert (np.diff(cosines[0]) < 0).all()


def test_the_graph_ties_the_nearest_both_ways_and_nothing_to_itself(rows):
    graph = neighbour_graph(rows)
    assert (abs(graph - graph.T) > 1e-9).nnz == 0
    assert graph.diagonal().tolist() == [0.0] * len(rows)
    assert 0 < graph.data.min() <= graph.data.max() <= 1 + 1e-9
    assert graph.max(axis=1).toarray().min() == pytest.approx(1)


def test_equal_rows_are_neighbours_of_each_other_not_of_themselves():
    graph = neighbour_graph(np.repeat(SQUARE, 10, axis=0))
    assert graph.diagonal().tolist() == [0.0] * 40


def test_diffusion_draws_comments_of_one_cause_together(rows):
    after = diffuse(rows, neighbour_graph(rows), steps=8)
    own = slice(len(INVOICE), 2 * len(INVOICE))
    assert (after[own] @ after[own].T).mean() > (rows[own] @ rows[own].T).mean() + 0.1


@pytest.mark.parametrize("each", [20, 200])  # all eigenvectors at once, and only some
def test_the_spectrum_separates_parts_without_a_tie(each):
    graph = neighbour_graph(np.repeat(SQUARE[[0, 2]], each, axis=0) + noise(2 * each))
    found = spectrum(graph, 2)
    assert np.abs(found[:each] @ found[:each].T).min() > 0.99
    assert np.abs(found[:each] @ found[each:].T).max() < 0.01


def noise(rows: int) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 0.01, (rows, 2)).astype(np.float32)


def test_condensing_keeps_the_distances(rows):
    flat = condense(rows, 55)
    assert flat.shape == (60, 55)
    assert np.abs(flat @ flat.T - rows @ rows.T).max() < 0.2


def test_the_student_imitates_the_space(rows):
    target = diffuse(rows, neighbour_graph(rows), steps=8)
    student = Student().fit(rows, target)
    assert np.sum(student.transform(rows) * target, axis=1).mean() > 0.9
