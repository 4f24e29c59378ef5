import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from analysis.measures.scores import Score, ces, csat, measure, nps, share

counts = st.integers(0, 10_000)
bands = st.tuples(counts, counts, counts)
NOTHING = Score(value=None, low=None, high=None, n=0)


@pytest.mark.parametrize(
    ("answers", "value"),
    [
        ((70, 20, 10), 60.0),
        ((10, 20, 70), -60.0),
        ((1, 0, 0), 100.0),
        ((0, 0, 1), -100.0),
        ((0, 7, 0), 0.0),
        ((5, 0, 5), 0.0),
        ((2, 1, 0), 200 / 3),
    ],
)
def test_nps_is_promoters_minus_detractors_over_all_scored(answers, value):
    score = nps(*answers)
    assert (score.value, score.n) == (pytest.approx(value), sum(answers))


@pytest.mark.parametrize(("n", "low", "high"), [(30, -11, 48), (100, 3, 36), (400, 11, 28)])
def test_nps_of_plus_20_at_growing_n(n, low, high):
    score = nps(n // 2, n // 5, n * 3 // 10)
    assert (score.value, round(score.low), round(score.high)) == (20.0, low, high)


@pytest.mark.parametrize("figure", [csat, ces])
def test_csat_and_ces_are_the_share_of_the_top_band(figure):
    score = figure(81, 100, 82)
    assert score.value == 81 / 263
    assert (round(score.low, 4), round(score.high, 4), score.n) == (0.2553, 0.3662, 263)


@pytest.mark.parametrize(("answers", "value"), [((4, 0, 0), 1.0), ((0, 4, 0), 0.0), ((0, 0, 4), 0)])
def test_all_the_same_still_has_an_interval(answers, value):
    score = csat(*answers)
    peer = binomtest(answers[0], 4).proportion_ci(method="wilson")
    assert score.value == value
    assert (score.low, score.high) == pytest.approx((float(peer.low), float(peer.high)), abs=1e-12)


@pytest.mark.parametrize("kind", ["nps", "csat", "ces"])
def test_without_answers_there_is_no_figure(kind):
    assert measure(kind, (0, 0, 0)) == NOTHING


def test_measure_chooses_by_kind():
    answers = (6, 3, 1)
    assert measure("nps", answers) == nps(6, 3, 1)
    assert measure("csat", answers) == csat(6, 3, 1)
    assert measure("ces", answers) == ces(6, 3, 1)
    assert [measure(kind, answers).value for kind in ("nps", "csat", "ces")] == [50.0, 0.6, 0.6]


def test_an_unknown_kind_is_refused_with_the_known_ones():
    with pytest.raises(
        ValueError, match="unknown kind of survey 'stars': use one of nps, csat, ces"
    ):
        measure("stars", (1, 2, 3))


@pytest.mark.parametrize("figure", [nps, csat, ces])
def test_negative_bands_are_refused(figure):
    with pytest.raises(ValueError, match="detractors must be a whole number of 0 or more, not -1"):
        figure(3, 2, -1)


def test_share_without_anything_is_no_figure():
    assert share(0, 0) == NOTHING


@given(st.sampled_from(["nps", "csat", "ces"]), bands.filter(any))
def test_every_score_lies_in_its_interval_and_on_its_scale(kind, answers):
    score = measure(kind, answers)
    lowest, highest = (-100, 100) if kind == "nps" else (0, 1)
    assert lowest <= score.low <= score.value <= score.high <= highest
    assert score.n == sum(answers)


@given(bands)
def test_nps_rises_when_a_detractor_becomes_a_promoter(answers):
    promoters, passives, detractors = answers
    before = nps(promoters, passives, detractors + 1)
    after = nps(promoters + 1, passives, detractors)
    assert (before.value, before.low, before.high) < (after.value, after.low, after.high)
