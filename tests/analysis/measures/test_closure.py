from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.measures.closure import Clock, Closure, closure

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
LIMIT = timedelta(hours=72)
TICK = timedelta(microseconds=1)
hours = st.integers(0, 200)


def clock(started, contacted=None, withdrawn=False) -> Clock:
    """A task whose clock started `started` hours before NOW, contacted so many hours later."""
    start = NOW - timedelta(hours=started)
    contact = None if contacted is None else start + timedelta(hours=contacted)
    return Clock(start, start + LIMIT, contact, withdrawn)


clocks = st.builds(clock, hours, st.none() | hours, st.booleans())


@pytest.mark.parametrize(
    ("task", "group"),
    [
        (clock(100, contacted=71), "contacted_in_time"),
        (clock(100, contacted=72), "late"),
        (clock(100, contacted=73), "late"),
        (clock(100), "overdue"),
        (clock(71, contacted=1), "not_yet_due_contacted"),
        (clock(71), "not_yet_due_open"),
        (clock(100, contacted=1, withdrawn=True), "withdrawn"),
        (clock(100, withdrawn=True), "withdrawn"),
        (clock(1, withdrawn=True), "withdrawn"),
    ],
)
def test_each_task_stands_in_exactly_one_group(task, group):
    assert closure([task], NOW) == Closure(**{group: 1})


def test_a_contact_at_the_very_end_is_late_and_a_microsecond_earlier_is_in_time():
    start = NOW - timedelta(hours=100)
    due = start + LIMIT
    assert closure([Clock(start, due, due)], NOW) == Closure(late=1)
    assert closure([Clock(start, due, due - TICK)], NOW) == Closure(contacted_in_time=1)


def test_the_rate_begins_at_the_moment_the_72_hours_have_elapsed():
    start = NOW - LIMIT
    due = start + LIMIT
    assert closure([Clock(start, due)], due - TICK) == Closure(not_yet_due_open=1)
    assert closure([Clock(start, due)], due) == Closure(overdue=1)


def test_a_contact_after_now_has_not_happened_yet():
    assert closure([clock(100, contacted=101)], NOW) == Closure(overdue=1)
    assert closure([clock(50, contacted=51)], NOW) == Closure(not_yet_due_open=1)


def test_quick_successes_stay_out_until_their_time_has_elapsed():
    tasks = [clock(1, contacted=0)] * 50 + [clock(100)]
    result = closure(tasks, NOW)
    assert (result.rate, result.n, result.not_yet_due_contacted) == (0.0, 1, 50)


def test_72_hours_are_elapsed_hours_across_a_clock_change():
    """The last Sunday of March 2026 lost an hour in central Europe; UTC times do not notice."""
    start = datetime(2026, 3, 28, 9, tzinfo=UTC)
    last = datetime(2026, 3, 31, 9, tzinfo=UTC)
    assert closure([Clock(start, start + LIMIT, last - TICK)], NOW) == Closure(contacted_in_time=1)


def test_nineteen_of_twenty():
    result = Closure(contacted_in_time=19, late=1, not_yet_due_open=4, withdrawn=2)
    assert (result.n, result.rate, result.percent) == (20, 0.95, 95)
    assert (result.meets_goal, result.goal) == (True, 0.95)
    assert [round(100 * end) for end in result.interval] == [76, 99]


def test_overdue_and_late_are_both_misses():
    result = Closure(contacted_in_time=18, late=1, overdue=1)
    assert (result.n, result.rate, result.meets_goal) == (20, 0.9, False)


def test_nothing_elapsed_is_no_rate_and_no_verdict():
    result = closure([clock(1), clock(2, contacted=1)], NOW)
    assert result.n == 0
    assert [result.rate, result.interval, result.meets_goal, result.percent] == [None] * 4
    assert result == Closure(not_yet_due_open=1, not_yet_due_contacted=1)


def test_percent_is_shown_from_ten_on():
    nine = Closure(contacted_in_time=8, overdue=1)
    ten = Closure(contacted_in_time=9, overdue=1)
    assert (nine.shows_percent, nine.percent) == (False, None)
    assert (ten.shows_percent, ten.percent) == (True, 90)


@pytest.mark.parametrize(
    ("in_time", "n", "percent"),
    [(949, 1000, 94), (9_499, 10_000, 94), (29, 100, 29), (57, 100, 57)],
)
def test_percent_is_rounded_down_never_up_to_the_goal(in_time, n, percent):
    assert Closure(contacted_in_time=in_time, overdue=n - in_time).percent == percent


def test_negative_counts_are_refused():
    with pytest.raises(ValueError, match="overdue must be a whole number of 0 or more, not -1"):
        Closure(overdue=-1)


def test_a_clock_cannot_be_due_before_it_started():
    with pytest.raises(ValueError, match="before the start"):
        Clock(NOW, NOW - TICK)


@given(st.lists(clocks))
def test_no_task_is_lost_or_counted_twice(tasks):
    result = closure(tasks, NOW)
    apart = result.not_yet_due_contacted + result.not_yet_due_open + result.withdrawn
    assert result.n + apart == len(tasks)


@given(st.lists(clocks))
def test_time_alone_never_adds_a_hit_beyond_those_already_contacted(tasks):
    now, later = closure(tasks, NOW), closure(tasks, NOW + timedelta(days=365))
    assert later.not_yet_due_contacted == later.not_yet_due_open == 0
    assert now.contacted_in_time <= later.contacted_in_time
    assert now.withdrawn == later.withdrawn


@given(st.lists(clocks))
def test_groups_equal_an_independent_count(tasks):
    """The same rule as a chain of sets, from the definition of the rate."""
    counted = [t for t in tasks if not t.withdrawn]
    elapsed = [t for t in counted if (NOW - t.started_at) / timedelta(hours=1) >= 72]
    reached = [t for t in elapsed if t.first_contact_at and t.first_contact_at <= NOW]
    took = Counter((t.first_contact_at - t.started_at) < LIMIT for t in reached)
    result = closure(tasks, NOW)
    assert (result.contacted_in_time, result.late) == (took[True], took[False])
    assert result.overdue == len(elapsed) - len(reached)
