import numpy as np
import pytest

from analysis.text.assignment import NO_THEME, Assignment


def test_confidence_is_high_only_for_a_near_and_single_theme():
    similarity = np.array([[0.9, 0.1], [0.9, 0.9], [0.1, -0.8], [-0.2, -0.4]])
    found = Assignment.nearest(similarity)
    assert found.labels.tolist() == [0, 0, 0, 0]
    assert found.confidence == pytest.approx([0.9, 0.45, 0.1, 0.0], abs=1e-3)
    assert found.similarity == pytest.approx([0.9, 0.9, 0.1, 0.0])


def test_spreading_repeats_entries_and_leaves_gaps():
    found = Assignment(np.array([4, 2]), np.array([0.5, 0.7]), np.array([0.6, 0.8]))
    spread = found.spread(np.array([1, -1, 0, 1]))
    assert spread.labels.tolist() == [2, NO_THEME, 4, 2]
    assert spread.confidence.tolist() == [0.7, 0.0, 0.5, 0.7]


def test_renumbering_keeps_comments_without_a_theme():
    found = Assignment(np.array([2, NO_THEME, 0]), np.ones(3), np.ones(3))
    assert found.renumber(np.array([2, 0])).labels.tolist() == [0, NO_THEME, 1]
