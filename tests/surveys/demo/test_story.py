from datetime import UTC, datetime, timedelta

import pytest

from surveys.demo.followup import REACHED, months_ago
from surveys.demo.story import Asked, tell, trend
from surveys.models import DEADLINE, Contact

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def told():
    return tell(NOW)


def hours_old(one: Asked) -> float:
    return (NOW - one.answer.at) / timedelta(hours=1)


def detractors(told) -> list[Asked]:
    return [one for one in told.asked if one.followup is not None]


def reached_in_time(one: Asked) -> bool:
    return any(
        step.outcome in Contact.REACHED and step.at < one.answer.at + DEADLINE
        for step in one.followup.steps
    )


def test_the_same_seed_and_now_give_the_same_story(told):
    assert tell(NOW) == told
    assert tell(NOW, seed=1) != told


def test_it_tells_between_2500_and_3500_answers(told):
    answers = [one for one in told.asked if one.answer]
    assert 2_500 <= len(answers) + len(told.imported) + len(told.anonymous) <= 3_500


def test_a_third_answers_the_nps_and_a_quarter_the_csat(told):
    for kind, low, high in (("nps", 0.30, 0.42), ("csat", 0.22, 0.28)):
        asked = [one for one in told.asked if one.kind == kind and one.customer.email]
        assert low < sum(one.answer is not None for one in asked) / len(asked) < high


def test_every_detractor_has_a_followup_and_nobody_else(told):
    bad = [one for one in told.asked if one.answer and one.answer.band == "detractor"]
    assert bad == detractors(told)


def test_nothing_happens_in_the_future_or_out_of_order(told):
    for one in detractors(told):
        times = [one.at, one.answer.at, *(step.at for step in one.followup.steps)]
        if one.followup.closing:
            times.append(one.followup.closing.at)
        assert times == sorted(times)
        assert times[-1] <= NOW


def test_the_closure_rate_is_the_one_the_story_promises_with_one_bad_month(told):
    rates = []
    for ago in range(11, 0, -1):
        cohort = [one for one in detractors(told) if months_ago(one.answer.at, NOW) == ago]
        hits = sum(reached_in_time(one) for one in cohort)
        assert abs(hits - len(cohort) * REACHED[-1 - ago]) <= 2
        rates.append(hits / len(cohort))
    assert months_ago(NOW - timedelta(days=120), NOW) == 11 - rates.index(min(rates))
    assert min(rates) < 0.8


def test_open_tasks_stand_in_every_state_right_now(told):
    open_now = [one for one in detractors(told) if one.followup.closing is None]
    waiting = [one for one in open_now if not reached_in_time(one)]
    assert any(hours_old(one) <= 2 for one in waiting)
    assert any(hours_old(one) == 36 for one in waiting)
    assert any(68 < hours_old(one) < 72 for one in waiting)
    assert any(hours_old(one) == 96 for one in waiting)
    assert any(hours_old(one) == 192 for one in waiting)
    assert any(one.owner == "" for one in waiting)
    assert any(one.followup.steps for one in waiting)
    assert any(reached_in_time(one) for one in open_now)


def test_the_app_gets_worse_and_deliveries_get_better():
    assert trend("app_crashes", 20) > 4 * trend("app_crashes", 200)
    assert trend("late_delivery", 200) > 4 * trend("late_delivery", 20)
    assert trend("price_rise", 200) == trend("price_rise", 20) == 1
