"""The published examples:

- remission of 42 children with leukaemia (Freireich et al. 1963, Blood 21:699-716; printed as
  Gehan's data in D. R. Cox 1972, JRSS B 34:187-220). Survival, Greenwood's standard error and the
  log-log interval as Stata's `sts list, by(group)` prints them.
- `aml` of R's package survival (R. G. Miller 1997, Survival Analysis): survival and standard error
  as `summary(survfit(Surv(time, status) ~ x, data = aml))` prints them.
"""

from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.measures.intervals import Interval, wilson
from analysis.measures.survival import Curve, Estimate, kaplan_meier


def curve(events=(), censored=()) -> Curve:
    return kaplan_meier([(time, 1, 0) for time in events] + [(time, 0, 1) for time in censored])


TREATED = curve([6, 6, 6, 7, 10, 13, 16, 22, 23], [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35])
CONTROL = curve([1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23])
MAINTAINED = curve([9, 13, 18, 23, 31, 34, 48], [13, 28, 45, 161])
NOT_MAINTAINED = curve([5, 5, 8, 8, 12, 23, 27, 30, 33, 43, 45], [16])


def table(found: Curve) -> list[tuple]:
    """(time, at risk, events, survival, standard error) where something happened."""
    return [
        (one.time, one.at_risk, one.events, round(one.survival, 4), error(one))
        for one in found.steps
        if one.events
    ]


def error(step) -> float | None:
    return round(step.survival * sqrt(step.spread), 4) if step.survival else None


@pytest.mark.parametrize(
    ("found", "time", "survival", "standard_error", "low", "high"),
    [
        (TREATED, 6, 0.8571, 0.0764, 0.6197, 0.9516),
        (TREATED, 7, 0.8067, 0.0869, 0.5631, 0.9228),
        (TREATED, 9, 0.8067, 0.0869, 0.5631, 0.9228),
        (TREATED, 10, 0.7529, 0.0963, 0.5032, 0.8894),
        (TREATED, 13, 0.6902, 0.1068, 0.4316, 0.8491),
        (TREATED, 16, 0.6275, 0.1141, 0.3675, 0.8049),
        (TREATED, 22, 0.5378, 0.1282, 0.2678, 0.7468),
        (TREATED, 23, 0.4482, 0.1346, 0.1881, 0.6801),
        (TREATED, 35, 0.4482, 0.1346, 0.1881, 0.6801),
        (CONTROL, 1, 0.9048, 0.0641, 0.6700, 0.9753),
        (CONTROL, 2, 0.8095, 0.0857, 0.5689, 0.9239),
        (CONTROL, 3, 0.7619, 0.0929, 0.5194, 0.8933),
        (CONTROL, 4, 0.6667, 0.1029, 0.4254, 0.8250),
        (CONTROL, 5, 0.5714, 0.1080, 0.3380, 0.7492),
        (CONTROL, 8, 0.3810, 0.1060, 0.1831, 0.5778),
        (CONTROL, 11, 0.2857, 0.0986, 0.1166, 0.4818),
        (CONTROL, 12, 0.1905, 0.0857, 0.0595, 0.3774),
        (CONTROL, 15, 0.1429, 0.0764, 0.0357, 0.3212),
        (CONTROL, 17, 0.0952, 0.0641, 0.0163, 0.2612),
        (CONTROL, 22, 0.0476, 0.0465, 0.0033, 0.1970),
    ],
)
def test_remission_of_leukaemia_as_printed(found, time, survival, standard_error, low, high):
    estimate = found.at(time)
    assert round(estimate.survival, 4) == survival
    assert (round(estimate.interval.low, 4), round(estimate.interval.high, 4)) == (low, high)
    [step] = [one for one in found.steps if one.time == time]
    assert error(step) == standard_error


def test_the_curves_of_aml_as_r_prints_them():
    assert table(MAINTAINED) == [
        (9, 11, 1, 0.9091, 0.0867),
        (13, 10, 1, 0.8182, 0.1163),
        (18, 8, 1, 0.7159, 0.1397),
        (23, 7, 1, 0.6136, 0.1526),
        (31, 5, 1, 0.4909, 0.1642),
        (34, 4, 1, 0.3682, 0.1627),
        (48, 2, 1, 0.1841, 0.1535),
    ]
    assert table(NOT_MAINTAINED) == [
        (5, 12, 2, 0.8333, 0.1076),
        (8, 10, 2, 0.6667, 0.1361),
        (12, 8, 1, 0.5833, 0.1423),
        (23, 6, 1, 0.4861, 0.1481),
        (27, 5, 1, 0.3889, 0.1470),
        (30, 4, 1, 0.2917, 0.1387),
        (33, 3, 1, 0.1944, 0.1219),
        (43, 2, 1, 0.0972, 0.0919),
        (45, 1, 1, 0.0, None),
    ]


@pytest.mark.parametrize(
    ("found", "median"), [(TREATED, 23), (CONTROL, 8), (MAINTAINED, 31), (NOT_MAINTAINED, 23)]
)
def test_the_median_is_when_half_have_had_it(found, median):
    assert found.quantile(0.5) == median


def test_the_interval_of_the_median_is_where_the_ends_of_the_band_pass_a_half():
    assert TREATED.quantile_interval(0.5) == (13, None)
    assert CONTROL.quantile_interval(0.5) == (4, 11)


def test_a_curve_that_stands_at_a_half_has_its_median_there():
    assert curve([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]).quantile(0.5) == 5


def test_nothing_is_known_of_nobody():
    found = curve()
    assert (found.n, found.events) == (0, 0)
    assert found.at(0) == found.before(72) == Estimate(None, None, 0, 0)
    assert found.quantile(0.5) is None
    assert found.quantile_interval(0.5) == (None, None)


def test_one_alone_that_had_it():
    found = curve([5])
    assert found.before(5) == Estimate(1.0, around_one(1), 0, 1)
    assert found.at(5) == Estimate(0.0, Interval(0.0, 1 - wilson(1, 1).low), 1, 0)
    assert found.at(1_000).survival == 0
    assert found.quantile(0.5) == 5


def test_one_alone_that_still_waits():
    found = curve(censored=[5])
    assert found.at(4) == Estimate(1.0, around_one(1), 0, 1)
    assert found.at(6) == Estimate(None, None, 0, 0)
    assert found.quantile(0.5) is None


def test_all_censored_stays_at_one_and_is_less_and_less_sure():
    found = curve(censored=[1, 2, 3, 4])
    assert [found.before(time).survival for time in (1, 2, 3, 4)] == [1.0] * 4
    assert [found.before(time).interval for time in (1, 2, 3, 4)] == [
        around_one(n) for n in (4, 3, 2, 1)
    ]
    assert found.before(4.5).survival is None
    assert found.quantile_interval(0.5) == (None, None)


def around_one(n: int) -> Interval:
    return Interval(1 - wilson(0, n).high, 1.0)


def test_of_ties_the_censored_are_at_risk_when_it_happens():
    found = curve(events=[6, 6], censored=[6, 6])
    assert table(found) == [(6, 4, 2, 0.5, 0.25)]


def test_what_happens_at_the_very_time_is_after_it_and_not_before():
    found = curve([72, 72, 90], [80])
    assert (found.before(72).events, found.at(72).events) == (0, 2)
    assert (found.before(72).survival, found.at(72).survival) == (1.0, 0.5)
    assert (found.before(72).at_risk, found.at(72).at_risk) == (4, 2)


def test_the_order_and_the_splitting_of_the_rows_do_not_matter():
    rows = [(3, 1, 2), (1, 2, 0), (5, 0, 1)]
    split = [(5, 0, 1), (3, 0, 1), (1, 1, 0), (3, 1, 1), (1, 1, 0), (2, 0, 0)]
    assert kaplan_meier(rows) == kaplan_meier(split)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ((-1, 1, 0), "no time to wait"),
        ((float("nan"), 1, 0), "no time to wait"),
        ((float("inf"), 1, 0), "no time to wait"),
        ((1, -1, 0), "events must be"),
        ((1, 0, 1.5), "censored must be"),
    ],
)
def test_what_cannot_be_is_refused(row, said):
    with pytest.raises(ValueError, match=said):
        kaplan_meier([row])


counts = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 5), st.integers(0, 5)), max_size=20)


@given(counts, st.integers(0, 50))
def test_without_censoring_before_it_is_the_plain_share(rows, time):
    rows = [(at, events, 0) for at, events, _ in rows]
    n = sum(events for _, events, _ in rows)
    had = sum(events for at, events, _ in rows if at <= time)
    if n:
        assert kaplan_meier(rows).at(time).survival == pytest.approx(1 - had / n)


@given(counts, st.integers(0, 50))
def test_the_interval_holds_the_estimate_and_stays_inside(rows, time):
    found = kaplan_meier(rows).at(time)
    if found.survival is not None:
        low, high = found.interval
        assert 0 <= low <= found.survival + 1e-12
        assert found.survival - 1e-12 <= high <= 1


@given(counts)
def test_the_curve_never_rises_and_everybody_is_counted_once(rows):
    found = kaplan_meier(rows)
    survivals = [1.0, *(step.survival for step in found.steps)]
    assert survivals == sorted(survivals, reverse=True)
    assert found.n == sum(events + censored for _, events, censored in rows)
    assert found.events == sum(events for _, events, _ in rows)
