import pytest

from analysis.measures.change import answers_to_tell, change
from analysis.measures.scores import Score, nps, share


def test_newcombes_published_example_56_of_70_against_48_of_80():
    """R. G. Newcombe 1998, Statistics in Medicine 17:873-890, table II, case a, method 10."""
    found = change(share(56, 70), share(48, 80))
    assert found.value == pytest.approx(0.2)
    assert round(found.low, 4) == 0.0524
    assert round(found.high, 4) == 0.3339
    assert not found.is_noise


def test_newcombes_published_example_9_of_10_against_3_of_10():
    found = change(share(9, 10), share(3, 10))
    assert (round(found.low, 4), round(found.high, 4)) == (0.1705, 0.8090)


def test_turning_the_two_round_turns_the_interval_round():
    there, back = change(share(9, 10), share(3, 10)), change(share(3, 10), share(9, 10))
    assert (back.low, back.high) == (-there.high, -there.low)


def test_what_may_as_well_be_nothing_is_noise():
    assert change(share(40, 100), share(38, 100)).is_noise
    assert change(nps(30, 40, 30), nps(32, 40, 28)).is_noise
    assert not change(nps(700, 200, 100), nps(400, 200, 400)).is_noise


def test_without_one_of_the_figures_there_is_no_change():
    nothing = Score(None, None, None, 0)
    assert change(nothing, share(1, 2)) is None
    assert change(share(1, 2), nothing) is None


def test_the_noise_is_what_a_change_would_have_to_pass():
    found = change(nps(30, 40, 30), nps(36, 40, 24))
    assert (found.value, round(found.noise, 1)) == (-12.0, round(found.high + 12, 1))
    assert change(nps(36, 40, 24), nps(30, 40, 30)).noise == pytest.approx(found.noise)


def test_as_many_more_answers_as_are_told_would_tell():
    before, now = nps(5_000, 2_000, 3_000), nps(44, 26, 30)
    more = answers_to_tell(now, before)
    assert change(now, before).is_noise
    times = (100 + more) / 100
    then = nps(*(round(count * times) for count in (44, 26, 30)))
    assert then.n == pytest.approx(100 + more, abs=1)
    assert change(then, before).noise == pytest.approx(6, rel=0.05)  # "about"
    assert answers_to_tell(nps(4_400, 2_600, 3_000), before) == 0


def test_no_number_of_answers_tells_what_last_time_had_too_few_for():
    assert answers_to_tell(nps(44, 26, 30), nps(10, 4, 6)) is None
    assert answers_to_tell(nps(5, 5, 5), nps(5, 5, 5)) is None
    assert answers_to_tell(nps(0, 0, 0), nps(5, 5, 5)) is None
