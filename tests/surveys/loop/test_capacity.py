from datetime import date, timedelta

import pytest

from surveys.loop import answer, ask, capacity
from surveys.loop.capacity import Away, Rate, due_on_days_off, per_day, spread_needed
from surveys.models import Absence, Account, Customer, Wave
from tests.conftest import colleague, survey_of

MONDAY = date(2026, 3, 9)
WEEK = [MONDAY + timedelta(days=n) for n in range(5)]
A, B, C = 1, 2, 3


def test_a_rate_is_what_came_of_those_asked():
    assert Rate(asked=200, answered=50, detractors=10).expected(100) == 5.0
    assert Rate().expected(100) == 0.0


def test_a_wave_brings_every_owner_an_even_share_each_day():
    assert per_day({A: 10.0, B: 5.0}, WEEK) == {A: [2.0] * 5, B: [1.0] * 5}


def test_who_covers_gets_the_tasks_of_those_days():
    away = [Away(A, B, WEEK[1], WEEK[2])]
    load = per_day({A: 10.0, B: 5.0}, WEEK, away)
    assert load == {A: [2.0, 0.0, 0.0, 2.0, 2.0], B: [1.0, 3.0, 3.0, 1.0, 1.0]}


def test_who_is_away_covers_for_nobody():
    away = [Away(A, B, WEEK[0], WEEK[4]), Away(B, C, WEEK[0], WEEK[4])]
    assert per_day({A: 5.0}, WEEK, away) == {A: [1.0] * 5}


@pytest.mark.parametrize(
    ("expected", "limit", "days"),
    [
        ({A: 4.0}, 5, 1),
        ({A: 5.0}, 5, 1),
        ({A: 5.1}, 5, 2),
        ({A: 12.0, B: 3.0}, 5, 3),
        ({A: 25.0}, 5, 5),
        ({A: 25.1}, 5, None),
        ({}, 5, 1),
        ({None: 500.0}, 5, 1),  # tasks of nobody burden nobody
    ],
)
def test_the_spread_keeps_every_owner_within_the_limit(expected, limit, days):
    assert spread_needed(expected, WEEK, limit) == days


def test_the_spread_grows_for_whom_somebody_covers():
    expected, away = {A: 6.0, B: 6.0}, [Away(A, B, WEEK[0], WEEK[0])]
    assert spread_needed(expected, WEEK, 6) == 1
    assert spread_needed(expected, WEEK, 6, away) == 2


def test_tasks_of_wednesday_and_thursday_fall_due_on_the_weekend():
    assert due_on_days_off(WEEK) == [
        (WEEK[2], date(2026, 3, 14)),
        (WEEK[3], date(2026, 3, 15)),
    ]


def test_a_wave_sends_on_working_days_from_its_start(nps):
    nps.working_days_only = True
    wave = Wave(survey=nps, starts_on=date(2026, 3, 14), heads_up_days=None)
    assert capacity.sending_days(wave, MONDAY)[:2] == [date(2026, 3, 16), date(2026, 3, 17)]
    assert len(capacity.sending_days(wave, MONDAY)) == 366
    announced = Wave(survey=nps, heads_up_days=1)
    assert capacity.sending_days(announced, MONDAY)[0] == date(2026, 3, 10)
    urgent = Wave(survey=nps, at_once=True, starts_on=date(2026, 3, 14))
    assert capacity.sending_days(urgent, MONDAY)[0] == date(2026, 3, 14)


def asked(survey, account, now, scores: list[int | None]) -> None:
    """A customer for each score, asked a month ago; None did not answer."""
    then = now - timedelta(days=30)
    first = Customer.objects.count()
    people = [
        Customer.objects.create(account=account, email=f"p{first + n}@x.example")
        for n in range(len(scores))
    ]
    for invitation, score in zip(
        ask.invite(survey, people, f"event:{first}", then), scores, strict=True
    ):
        if score is not None:
            answer.give(invitation, score, "", then)


def test_rates_are_an_owners_own_from_30_answers_on(nps, account, alice, bob, now):
    bobs = Account.objects.create(name="Bob's", owner=bob)
    asked(nps, account, now, [3] * 10 + [9] * 20 + [None] * 30)
    asked(nps, bobs, now, [1] * 5 + [None] * 5)
    told = capacity.rates(nps, [alice.pk, bob.pk, None], now)
    assert told == {
        alice.pk: Rate(60, 30, 10, "their own accounts"),
        bob.pk: Rate(70, 35, 15, "this survey"),
        None: Rate(70, 35, 15, "this survey"),
    }


def test_a_new_survey_learns_from_others_of_its_kind(nps, account, alice, now):
    asked(nps, account, now, [3, 9, None, None])
    new, csat = survey_of("nps", name="New"), survey_of("csat", name="Support")
    assert capacity.rates(new, [alice.pk], now) == {alice.pk: Rate(4, 2, 1, "surveys of this kind")}
    assert capacity.rates(csat, [alice.pk], now) == {alice.pk: Rate(0, 0, 0, "this survey")}


def test_who_was_asked_just_now_has_had_no_time_to_answer(nps, account, alice, now):
    asked(nps, account, now, [3, 9])
    Customer.objects.create(account=account, email="late@x.example")
    ask.invite(nps, Customer.objects.filter(email="late@x.example"), "event:late", now)
    assert capacity.rates(nps, [alice.pk], now)[alice.pk].asked == 2


def test_the_forecast_says_who_gets_how_much_and_what_helps(nps, account, alice, bob, now):
    asked(nps, account, now, [3] * 10 + [9] * 20 + [None] * 30)
    today = now.date()  # a Tuesday
    away = Absence.objects.create(user=bob, cover=alice, first_day=today, last_day=today)
    wave = Wave(survey=nps, name="W", spread_days=2)
    told = capacity.forecast(wave, {alice.pk: 60, bob.pk: 24, None: 6}, 5, today, now)
    by_owner = {load.owner: load for load in told.loads}
    mine, bobs, nobodys = by_owner[alice], by_owner[bob], by_owner[None]
    assert (mine.asked, mine.expected, mine.open_tasks) == (60, 10.0, 10)
    assert (mine.most_on_a_day, bobs.most_on_a_day) == (7.0, 2.0)  # Bob's 2 of the first day
    assert (bobs.rate.whose, bobs.away, mine.away) == ("this survey", [away], [])
    assert nobodys.expected == 1.0
    assert (told.fits, told.has_history, told.spread) == (False, True, 3)
    assert told.expected == 15.0
    assert told.weekend == [(today + timedelta(days=1), today + timedelta(days=4))]
    assert told.weekend_expected == 7.5
    wave.spread_days = told.spread
    assert capacity.forecast(wave, {alice.pk: 60, bob.pk: 24}, 5, today, now).fits


def test_without_history_nothing_is_expected_and_it_is_said(nps, alice, now):
    wave = Wave(survey=nps, name="W")
    told = capacity.forecast(wave, {alice.pk: 60}, 5, now.date(), now)
    assert (told.has_history, told.expected, told.spread) == (False, 0.0, 1)


@pytest.mark.parametrize("rows", [1, 3])
def test_a_forecast_takes_as_many_queries_for_many(nps, team, now, rows, django_assert_num_queries):
    people = [colleague(f"c{n}", "account_manager", team) for n in range(rows)]
    wave = Wave(survey=nps, name="W")
    with django_assert_num_queries(4):
        capacity.forecast(wave, {one.pk: 5 for one in people}, 5, now.date(), now)
