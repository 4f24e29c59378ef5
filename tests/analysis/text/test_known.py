import numpy as np

from analysis.text import known
from analysis.text.known import Known


def test_what_was_placed_is_found_again_and_nothing_else():
    placed = Known.of(["late parcel", "wrong invoice"], [4, 2])
    assert placed.find(["wrong invoice", "late", "late parcel"]).tolist() == [2, -1, 4]


def test_the_first_theme_stays_and_the_newest_comments_have_room(monkeypatch):
    monkeypatch.setattr(known, "MOST", 3)
    old = Known.of(["first", "second", "third"], [0, 1, 2])
    joined = old.joined(Known.of(["third", "fourth"], [5, 6]))
    assert joined.find(["first", "second", "third", "fourth"]).tolist() == [-1, -1, 2, 6]


def test_its_arrays_bring_it_back_without_any_words():
    placed = Known.of(["late parcel"], [4])
    arrays = placed.arrays()
    assert [array.dtype for array in arrays.values()] == [np.uint64, np.int32]
    assert Known.restored(arrays).find(["late parcel"]).tolist() == [4]
