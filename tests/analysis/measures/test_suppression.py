import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.measures.suppression import MINIMUM_N, hidden


@pytest.mark.parametrize(
    ("counts", "found"),
    [
        ({}, ""),
        ({"a": 0}, ""),
        ({"a": 10}, ""),
        ({"a": 9}, "a"),
        ({"a": 50, "b": 10}, ""),
        ({"a": 50, "b": 9}, "ab"),  # or b would be the total less a
        ({"a": 50, "b": 30, "c": 9}, "bc"),
        ({"a": 50, "b": 30, "c": 1, "d": 0}, "bc"),
        ({"a": 50, "b": 5, "c": 5}, "bc"),
        ({"a": 50, "b": 30, "c": 4, "d": 5}, "bcd"),  # 9 together are still too few
        ({"a": 20, "b": 20, "c": 1}, "ac"),
    ],
)
def test_what_stays_hidden(counts, found):
    assert hidden(counts) == frozenset(found)


@given(st.dictionaries(st.text(max_size=3), st.integers(0, 60)))
def test_no_difference_tells_of_fewer_than_the_minimum(counts):
    found = hidden(counts)
    assert all(n >= MINIMUM_N for group, n in counts.items() if n and group not in found)
    held, everything = sum(counts[group] for group in found), sum(counts.values())
    assert held == 0 or held >= MINIMUM_N or held == everything
