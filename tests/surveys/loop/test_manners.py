from datetime import timedelta

import pytest

from surveys.loop import ask, manners, waves
from surveys.loop.manners import Ask, not_asked, throttled_by
from surveys.models import Customer, Family, Invitation, Message, Wave
from tests.conftest import survey_of

DAYS = timedelta(days=1)


@pytest.fixture
def csat(db):
    return survey_of("csat", name="After a ticket")


def decision(survey, customer, at) -> tuple[str, str]:
    occasion = f"event:{Invitation.objects.count()}"
    [invitation] = ask.invite(survey, [customer], occasion, at)
    return invitation.decision, invitation.throttled_by


@pytest.mark.parametrize(
    ("days_later", "said"),
    [
        (0, ("throttled", "floor")),
        (0.99, ("throttled", "floor")),
        (1, ("throttled", "family")),
        (29.9, ("throttled", "family")),
        (30, ("ask", "")),
    ],
)
def test_a_family_asks_a_customer_once_within_its_days(nps, customer, now, days_later, said):
    assert decision(nps, customer, now) == ("ask", "")
    assert decision(nps, customer, now + days_later * DAYS) == said


@pytest.mark.parametrize(
    ("days_later", "said"),
    [(0.5, ("throttled", "floor")), (6.9, ("throttled", "global")), (7, ("ask", ""))],
)
def test_surveys_of_other_families_keep_the_companys_distance(
    nps, csat, customer, now, days_later, said
):
    decision(nps, customer, now)
    assert decision(csat, customer, now + days_later * DAYS) == said


def test_two_surveys_of_one_family_count_as_one(nps, csat, customer, now):
    csat.family = nps.family
    csat.save()
    decision(nps, customer, now)
    assert decision(csat, customer, now + 20 * DAYS) == ("throttled", "family")


def test_the_24_hours_hold_whatever_is_set(nps, csat, customer, now, settings):
    settings.GLOBAL_THROTTLE_DAYS = 0
    Family.objects.update(throttle_days=0)
    nps.family.refresh_from_db()
    decision(nps, customer, now)
    assert decision(nps, customer, now + timedelta(hours=23.9)) == ("throttled", "floor")
    assert decision(nps, customer, now + timedelta(hours=24)) == ("ask", "")


def test_throttled_by_looks_both_ways(nps, now):
    family = nps.family_id
    assert throttled_by(nps, now, []) == ""
    assert throttled_by(nps, now, [Ask(family, now + 5 * DAYS)]) == "family"
    assert throttled_by(nps, now, [Ask(family + 1, now + 5 * DAYS)]) == "global"
    both = [Ask(family + 1, now + 5 * DAYS), Ask(family, now - 29 * DAYS)]
    assert throttled_by(nps, now, both) == "family"
    assert throttled_by(nps, now, [*both, Ask(family + 1, now)]) == "floor"


def test_what_a_wave_has_planned_for_next_week_counts(nps, csat, customer, manager, now):
    wave = Wave.objects.create(survey=nps, name="W", starts_on=(now + 4 * DAYS).date())
    ask.launch(wave, manager, now)
    ask.plan(now)
    assert decision(csat, customer, now) == ("throttled", "global")
    assert decision(csat, customer, now - 4 * DAYS) == ("ask", "")


@pytest.mark.parametrize("state", ["cancelled", "failed"])
def test_a_mail_that_never_came_bothered_nobody(nps, csat, customer, now, state):
    decision(nps, customer, now)
    Message.objects.update(state=state)
    assert decision(csat, customer, now) == ("ask", "")


@pytest.mark.parametrize("state", ["queued", "sending", "sent", "in_doubt", "held"])
def test_a_mail_that_came_or_may_come_did(nps, csat, customer, now, state):
    decision(nps, customer, now)
    Message.objects.update(state=state, lease="8" * 32, lease_until=now, sent_at=now)
    assert decision(csat, customer, now) == ("throttled", "floor")


def test_a_wave_launched_by_mistake_can_be_stopped_and_sent_again(nps, customer, manager, now):
    first, second = (Wave.objects.create(survey=nps, name=name) for name in ("Oops", "Right"))
    ask.launch(first, manager, now)
    ask.plan(now)
    waves.stop(first, manager, now)
    ask.launch(second, manager, now)
    ask.plan(now)
    assert second.invitations.get().decision == "ask"


def test_not_having_been_asked_leaves_no_mark(nps, csat, customer, now):
    decision(nps, customer, now)
    assert decision(csat, customer, now + 1 * DAYS) == ("throttled", "global")
    assert decision(csat, customer, now + 7.5 * DAYS) == ("ask", "")


@pytest.mark.parametrize("rows", [1, 3])
def test_judging_takes_two_queries_however_many(nps, account, now, rows, django_assert_num_queries):
    people = [
        Customer.objects.create(account=account, email=f"c{n}@x.example") for n in range(rows)
    ]
    nps.family  # noqa: B018  loaded before
    with django_assert_num_queries(2):
        verdicts = manners.judge(nps, people, {one.pk: now for one in people})
    assert verdicts == {one.pk: manners.ASK for one in people}


def test_judging_nobody_is_no_trouble(nps):
    assert manners.judge(nps, [], {}) == {}


@pytest.mark.parametrize(
    ("counts", "sentence"),
    [
        (
            {"ask": 9, "throttled": 300, "suppressed": 80, "no_address": 32},
            "412 not asked: throttled 300, suppressed 80, no address 32",
        ),
        ({"no_address": 2, "throttled": 1_000}, "1,002 not asked: throttled 1,000, no address 2"),
        ({"ask": 3, "suppressed": 1}, "1 not asked: suppressed 1"),
        ({"ask": 3}, "Everybody is asked."),
        ({}, "Everybody is asked."),
    ],
)
def test_the_sentence_counts_every_reason(counts, sentence):
    assert not_asked(counts) == sentence


def test_the_sentence_knows_every_decision():
    assert set(manners.SHORT) | {"ask"} == set(Invitation.Decision.values)
