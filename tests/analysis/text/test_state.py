import numpy as np
import pytest

from analysis.text.state import pack, unpack


def test_arrays_come_back_as_they_were():
    arrays = {"a": np.arange(6, dtype=np.float16).reshape(2, 3), "b.c": np.array([1, 2])}
    back = unpack(pack(arrays))
    assert {name: array.tolist() for name, array in back.items()} == {
        "a": [[0, 1, 2], [3, 4, 5]],
        "b.c": [1, 2],
    }
    assert back["a"].dtype == np.float16


def test_python_objects_are_refused():
    with pytest.raises(ValueError, match="'a' holds Python objects"):
        pack({"a": np.array([object()])})
