import numpy as np
import pytest

from analysis.text import clean
from analysis.text.features import LexicalFeatures, stems
from tests.analysis.text.comments import COMMENTS

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
