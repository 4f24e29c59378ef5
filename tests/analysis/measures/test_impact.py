import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.measures.impact import impact
from analysis.measures.scores import csat, measure, nps

counts = st.integers(0, 5_000)
bands = st.tuples(counts, counts, counts)


def test_impact_by_hand():
    """20 answers at -50 within 100 at +20: without them (2000 + 1000) / 80 = 37.5."""
    theme, everything = nps(2, 6, 12), nps(45, 30, 25)
    assert (theme.value, everything.value) == (-50.0, 20.0)
    assert impact(theme, everything) == -17.5


def test_a_theme_that_scores_like_all_others_has_none():
    assert impact(nps(2, 1, 1), nps(20, 10, 10)) == 0.0


def test_a_theme_without_scored_answers_has_none():
    assert impact(csat(0, 0, 0), csat(3, 1, 1)) == 0.0


def test_a_theme_that_is_everything_cannot_be_compared():
    assert impact(nps(3, 2, 1), nps(3, 2, 1)) is None
    assert impact(nps(0, 0, 0), nps(0, 0, 0)) is None


def test_a_theme_larger_than_everything_is_refused():
    with pytest.raises(ValueError, match="a theme of 6 answers cannot be part of 5"):
        impact(nps(3, 2, 1), nps(3, 1, 1))


@given(st.sampled_from(["nps", "csat", "ces"]), bands, bands.filter(any))
def test_impact_is_the_score_minus_the_score_without(kind, theme, others):
    everything = [a + b for a, b in zip(theme, others, strict=True)]
    score, without = measure(kind, everything), measure(kind, others)
    assert impact(measure(kind, theme), score) == pytest.approx(
        score.value - without.value, abs=1e-9
    )
