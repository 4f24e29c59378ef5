import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from analysis.measures.intervals import Interval, adjusted_wald_nps, wilson

counts = st.integers(0, 100_000)


@st.composite
def hits_of_n(draw):
    n = draw(st.integers(1, 100_000))
    return draw(st.integers(0, n)), n


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_equals_the_published_examples(hits, n, low, high):
    """R. G. Newcombe 1998, Statistics in Medicine 17:857-872, table I, method 3."""
    interval = wilson(hits, n)
    assert (round(interval.low, 4), round(interval.high, 4)) == (low, high)


@pytest.mark.parametrize(
    ("hits", "n"), [(0, 1), (1, 1), (1, 2), (3, 4), (19, 20), (50, 50), (95, 100), (9_500, 10_000)]
)
def test_wilson_equals_an_independent_computation(hits, n):
    peer = binomtest(hits, n).proportion_ci(confidence_level=0.95, method="wilson")
    assert wilson(hits, n) == pytest.approx((float(peer.low), float(peer.high)), abs=1e-12)


def test_nineteen_of_twenty_is_far_from_certain():
    low, high = wilson(19, 20)
    assert (round(100 * low), round(100 * high)) == (76, 99)


def test_no_answers_no_interval():
    assert wilson(0, 0) is None
    assert adjusted_wald_nps(0, 0, 0) is None


@given(hits_of_n())
def test_wilson_holds_its_share_within_bounds(case):
    hits, n = case
    low, high = wilson(hits, n)
    assert 0 <= low <= hits / n <= high <= 1
    assert low < high


@given(hits_of_n())
def test_wilson_rises_with_every_hit(case):
    hits, n = case
    assert wilson(hits, n + 1) < wilson(hits + 1, n + 1)


@given(hits_of_n())
def test_wilson_mirrors_hits_and_misses(case):
    hits, n = case
    low, high = wilson(n - hits, n)
    assert wilson(hits, n) == pytest.approx((1 - high, 1 - low), abs=1e-12)


@given(hits_of_n(), st.integers(2, 50))
def test_wilson_narrows_with_more_of_the_same(case, times):
    hits, n = case
    assert _width(wilson(times * hits, times * n)) < _width(wilson(hits, n))


@pytest.mark.parametrize(("n", "margin"), [(30, 29), (100, 17), (400, 8.5)])
def test_nps_of_plus_20_has_the_known_margins(n, margin):
    """Half promoters, three tenths detractors."""
    interval = adjusted_wald_nps(n // 2, n // 5, n * 3 // 10)
    shown = 1 if n == 400 else 0
    assert round(50 * _width(interval), shown) == margin


def test_nps_interval_by_hand():
    """4 promoters, 4 passives, 2 detractors: centre 2/13, variance 7.5/13 - (2/13)^2 over 13."""
    interval = adjusted_wald_nps(4, 4, 2)
    assert interval == pytest.approx((0.153846 - 0.404332, 0.153846 + 0.404332), abs=1e-5)


@pytest.mark.parametrize(
    ("bands", "interval"),
    [
        ((1, 0, 0), (0.25 - 0.734985, 1.0)),
        ((0, 0, 1), (-1.0, -0.25 + 0.734985)),
        ((0, 1, 0), (-0.600111, 0.600111)),
    ],
)
def test_nps_of_a_single_answer_says_next_to_nothing(bands, interval):
    assert adjusted_wald_nps(*bands) == pytest.approx(interval, abs=1e-5)


@given(counts, counts, counts)
def test_nps_interval_holds_its_value_within_bounds(promoters, passives, detractors):
    n = promoters + passives + detractors
    interval = adjusted_wald_nps(promoters, passives, detractors)
    if n == 0:
        assert interval is None
    else:
        assert -1 <= interval.low <= (promoters - detractors) / n <= interval.high <= 1


@given(counts, counts, counts)
def test_nps_interval_mirrors_promoters_and_detractors(promoters, passives, detractors):
    there = adjusted_wald_nps(promoters, passives, detractors + 1)
    back = adjusted_wald_nps(detractors + 1, passives, promoters)
    assert there == pytest.approx((-back.high, -back.low), abs=1e-12)


@pytest.mark.parametrize(
    ("hits", "n", "message"),
    [
        (-1, 10, "hits must be a whole number of 0 or more, not -1"),
        (0, -1, "n must be a whole number of 0 or more, not -1"),
        (None, 3, "hits must be a whole number of 0 or more, not None"),
        (0.5, 3, "hits must be a whole number of 0 or more, not 0.5"),
        (True, 3, "hits must be a whole number of 0 or more, not True"),
        (5, 4, "5 hits among 4 cannot be: hits are part of n"),
    ],
)
def test_impossible_counts_are_named(hits, n, message):
    with pytest.raises(ValueError, match=message):
        wilson(hits, n)


def test_impossible_bands_are_named():
    with pytest.raises(ValueError, match="passives must be a whole number of 0 or more, not -3"):
        adjusted_wald_nps(1, -3, 2)


def _width(interval: Interval) -> float:
    return interval.high - interval.low
