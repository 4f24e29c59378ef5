import numpy as np
import pytest

from analysis.text import clean
from analysis.text.diffusion import DiffusionSpace, diffuse, neighbour_graph
from analysis.text.features import LexicalFeatures, stems
from tests.analysis.text.comments import COMMENTS, INVOICE

KEYS = [clean.key(comment) for comment in COMMENTS]


def test_stems_hold_words_and_pairs_without_stop_words():
    assert stems("the late deliveries of the driver") == [
        "late",
        "deliveri",
        "driver",
        "late deliveri",
        "deliveri driver",
    ]


def test_rows_have_unit_length_and_unknown_words_give_zero():
    rows = LexicalFeatures().fit(KEYS).transform([*KEYS, "qqq"])
    assert rows.dtype == np.float32
    assert np.linalg.norm(rows, axis=1) == pytest.approx([1.0] * len(KEYS) + [0.0])


def test_typing_errors_stay_near():
    rows = LexicalFeatures().fit(KEYS).transform(["the invoice", "the invioce", "the delivery"])
    assert rows[0] @ rows[1] > rows[0] @ rows[2]


def test_texts_that_share_no_term_still_give_features():
    keys = [f"{chr(97 + n % 26)}{chr(97 + n // 26)}{chr(110 - n % 7)}" * 3 for n in range(250)]
    assert LexicalFeatures().fit(keys).transform(keys).shape[0] == 250


def test_features_restored_from_their_state_are_the_same():
    features = LexicalFeatures(dimensions=20).fit(KEYS)
    restored = LexicalFeatures(dimensions=20).restore(*features.to_state())
    assert np.array_equal(restored.transform(KEYS), features.transform(KEYS))


def test_the_graph_names_the_nearest_and_its_rows_sum_to_one():
    rows = np.array([[1, 0], [0.9, 0.1], [0, 1], [0.1, 0.9]], dtype=np.float32)
    graph = neighbour_graph(rows / np.linalg.norm(rows, axis=1, keepdims=True), neighbours=1)
    assert graph.indices.tolist() == [1, 0, 3, 2]
    assert graph.data.tolist() == pytest.approx([1] * 4)


def test_diffusion_draws_comments_of_one_cause_together():
    features = LexicalFeatures().fit(KEYS)
    before = features.transform(KEYS)
    after = diffuse(before)
    own = slice(len(INVOICE), 2 * len(INVOICE))
    assert (after[own] @ after[own].T).mean() > (before[own] @ before[own].T).mean() + 0.1


def test_two_rows_have_nothing_to_be_moved_by():
    rows = np.eye(2, dtype=np.float32)
    assert diffuse(rows) is rows


def test_the_space_imitates_the_diffusion():
    rows = LexicalFeatures().fit(KEYS).transform(KEYS)
    space = DiffusionSpace().fit(rows)
    assert np.sum(space.transform(rows) * diffuse(rows), axis=1).mean() > 0.9
