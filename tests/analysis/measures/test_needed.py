from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.measures.closure import Closure
from analysis.measures.needed import Needed, needed

counts = st.integers(0, 2_000)


@pytest.mark.parametrize(
    ("closure", "found"),
    [
        (Closure(), Needed(0, 0, 0, 0)),
        (Closure(contacted_in_time=19, overdue=1), Needed(0, 0, 0, 1)),  # 95 % exactly
        (Closure(contacted_in_time=18, overdue=1), Needed(0, None, 1, 1)),
        (Closure(contacted_in_time=90, late=5, not_yet_due_open=5), Needed(5, 5, 0, 5)),
        (Closure(contacted_in_time=90, late=4, not_yet_due_open=6), Needed(6, 5, 0, 4)),
        (Closure(contacted_in_time=90, not_yet_due_contacted=5, overdue=5), Needed(0, 0, 0, 5)),
        (Closure(overdue=1), Needed(0, None, 19, 1)),
        (Closure(withdrawn=9), Needed(0, 0, 0, 0)),
    ],
)
def test_what_it_takes(closure, found):
    assert needed(closure) == found


@given(counts, counts, counts, counts)
def test_it_is_enough_and_one_less_is_not(hits, early, misses, running):
    found = needed(Closure(hits, misses, 0, early, running))
    total = hits + early + misses + running
    goal = Fraction(95, 100)
    if found.of_running is None:
        best = hits + early + running
        assert best + found.further >= goal * (total + found.further)
        assert best + found.further - 1 < goal * (total + found.further - 1)
    else:
        assert hits + early + found.of_running >= goal * total
        assert found.of_running == 0 or hits + early + found.of_running - 1 < goal * total


@pytest.mark.parametrize("goal", [Fraction(0), Fraction(1), Fraction(3, 2)])
def test_a_goal_that_is_none_is_refused(goal):
    with pytest.raises(ValueError, match="share between"):
        needed(Closure(), goal)
