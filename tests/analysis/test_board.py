from datetime import date, timedelta

import pytest

from analysis.board import Workload, board, first_contact
from analysis.measures.closure import Closure
from analysis.measures.false_closure import FalseClosures
from surveys.models import Absence, Account, Confirmation, Customer, OutreachTask, Role
from tests.analysis.rows import at, detractor
from tests.conftest import colleague

NOW = at("2026-03-10 09:00")


def due(nps, owner, hours: float, contacted=None, **fields) -> OutreachTask:
    """With so many hours left of its 72, `contacted` so many hours after its start."""
    account, _ = Account.objects.get_or_create(name=f"Of {owner}", owner=owner)
    customer = Customer.objects.create(name="Somebody", account=account)
    start = NOW - timedelta(hours=72 - hours)
    task = detractor(nps, start, contacted, customer=customer)
    OutreachTask.objects.filter(pk=task.pk).update(owner=owner, **fields)
    return task


def found(user, now=NOW):
    return board(user, 5, now)


def withdrawn() -> dict:
    return {"state": OutreachTask.State.WITHDRAWN, "withdrawn_reason": "A machine."}


def forgotten() -> dict:
    return {"state": OutreachTask.State.FORGOTTEN}


def confirmed(task, number=1, at=NOW, claimed=True, got_back="", helped="") -> Confirmation:
    return Confirmation.objects.create(
        task=task, number=number, claimed=claimed, asked_at=NOW - timedelta(days=40),
        answered_at=at if got_back else None, got_back=got_back, helped=helped,
    )  # fmt: skip


def test_an_empty_house_has_an_empty_board(manager):
    one = found(manager)
    assert (one.total, one.by_owner, one.by_team) == (Workload(), [], [])
    assert (one.loads, one.absences) == ([], [])
    assert (one.closure, one.closure_before) == (Closure(), Closure())
    assert (one.first_contact.n, one.false_closures.n) == (0, 0)


def test_open_tasks_are_counted_by_owner_and_by_team_the_most_urgent_first(
    nps, manager, lead, alice, bob
):
    due(nps, alice, 30)
    due(nps, alice, 3)
    due(nps, lead, 20)
    due(nps, bob, -1)
    due(nps, bob, -50, contacted=10)
    due(nps, None, 40)
    due(nps, bob, -5, **withdrawn())
    one = found(manager)
    assert one.total == Workload(open=6, overdue=1, within_4=1, within_24=2, today=1, reached=1)
    assert one.by_owner == [
        (bob, Workload(open=2, overdue=1, reached=1)),
        (alice, Workload(open=2, within_4=1, within_24=1, today=1)),
        (lead, Workload(open=1, within_24=1)),
        (None, Workload(open=1)),
    ]
    assert one.by_team == [
        (bob.team, Workload(open=2, overdue=1, reached=1)),
        (alice.team, Workload(open=3, within_4=1, within_24=2, today=1)),
        (None, Workload(open=1)),
    ]


def test_everybody_counts_what_they_see(nps, manager, auditor, product, lead, alice, bob):
    due(nps, alice, 30)
    due(nps, bob, 30, contacted=1)
    due(nps, bob, -1)
    due(nps, None, 30)
    opened = {user: found(user).total.open for user in (manager, auditor, lead, alice, bob)}
    assert opened == {manager: 4, auditor: 4, lead: 1, alice: 1, bob: 2}
    assert found(product).total == Workload()
    assert found(bob).closure == Closure(overdue=1, not_yet_due_contacted=1)
    assert found(bob).first_contact.n == 2
    assert found(alice).closure == Closure(not_yet_due_open=1)


def test_closure_is_of_this_month_and_of_the_month_before_and_of_detractors(nps, manager, alice):
    start = NOW - timedelta(days=9)  # the first of the month, in the morning
    for hours, contacted in ((0, 5), (1, 80), (2, None)):
        due(nps, alice, 72 - 9 * 24 + hours, contacted)
    due(nps, alice, 72 - 20 * 24, 5)
    due(nps, alice, 72 - 60 * 24, 5)
    due(nps, alice, -20, 5, cause=OutreachTask.Cause.CONTACT_WISH)
    one = found(manager)
    assert (one.month.number, start.day) == (3, 1)
    assert one.closure == Closure(contacted_in_time=1, late=1, overdue=1)
    assert one.closure_before == Closure(contacted_in_time=1)


def test_the_curve_agrees_with_the_closure_rate_when_nobody_is_censored(nps, manager, alice):
    for contacted in (5, 71.99, 72, 80, None):
        due(nps, alice, -100, contacted)
    one = found(manager)
    before = one.first_contact.before(72 * 60)
    assert one.closure == Closure(contacted_in_time=2, late=2, overdue=1)
    assert (before.events, before.at_risk) == (2, 3)
    assert 1 - before.survival == pytest.approx(one.closure.rate)


def steps(now=NOW) -> list[tuple]:
    curve = first_contact(OutreachTask.objects.all(), now)
    return [(one.time, one.events, one.censored) for one in curve.steps]


def test_who_still_waits_counts_for_as_long_as_they_have_waited(nps, alice):
    due(nps, alice, 70)
    due(nps, alice, 60, contacted=10)
    assert steps() == [(2 * 60, 0, 1), (10 * 60, 1, 0)]


def test_times_are_whole_minutes(nps, alice):
    task = due(nps, alice, 60)
    moment = task.started_at + timedelta(minutes=5, seconds=59)
    OutreachTask.objects.filter(pk=task.pk).update(first_contact_at=moment)
    assert steps() == [(5, 1, 0)]


def test_a_contact_after_now_has_not_happened_yet(nps, alice):
    due(nps, alice, 70, contacted=3)
    assert steps() == [(2 * 60, 0, 1)]


def test_a_contact_that_a_mail_proves_to_be_as_old_as_the_answer_takes_no_time(nps, alice):
    due(nps, alice, 70, contacted=-1)
    assert steps() == [(0, 1, 0)]


def test_nobody_is_watched_for_longer_than_seven_days(nps, alice):
    week = 7 * 24
    due(nps, alice, 72 - 20 * 24)
    due(nps, alice, 72 - 20 * 24, contacted=week)
    due(nps, alice, 72 - 20 * 24, contacted=week - 1)
    assert steps() == [((week - 1) * 60, 1, 0), (week * 60, 0, 2)]


def test_giving_up_does_not_look_like_speed(nps, alice, root_cause):
    task = due(nps, alice, -20)
    OutreachTask.objects.filter(pk=task.pk).update(
        state="closed", closed_at=NOW - timedelta(hours=80), root_cause=root_cause,
        outcome="no_reply", action="Called three times.",
    )  # fmt: skip
    assert steps() == [(92 * 60, 0, 1)]


def test_of_the_forgotten_nothing_is_known_after_the_deadline(nps, alice):
    due(nps, alice, -50, **forgotten())
    due(nps, alice, -50, contacted=30, **forgotten())
    assert steps() == [(30 * 60, 1, 0), (72 * 60, 0, 1)]


def test_the_withdrawn_other_causes_and_older_cohorts_are_left_out(nps, alice):
    due(nps, alice, -50, **withdrawn())
    due(nps, alice, -50, cause=OutreachTask.Cause.LOYALTY_DROP)
    due(nps, alice, 72 - 31 * 24)
    assert steps() == []


def test_false_closures_are_of_what_customers_said_lately_of_claims(nps, manager, alice):
    task = due(nps, alice, -50, contacted=5)
    said = [("no", ""), ("yes", "no"), ("yes", "yes"), ("yes", "partly"), ("yes", ""), ("", "")]
    for number, (got_back, helped) in enumerate(said):
        confirmed(task, number, got_back=got_back, helped=helped)
    confirmed(task, 10, got_back="no", claimed=False)
    confirmed(task, 11, got_back="no", at=NOW - timedelta(days=31))
    assert found(manager).false_closures == FalseClosures(1, 1, 3)
    assert found(alice).false_closures == FalseClosures(1, 1, 3)


def test_false_closures_of_others_are_not_counted(nps, lead, alice, bob):
    confirmed(due(nps, bob, -50, contacted=5), got_back="no")
    assert found(lead).false_closures == FalseClosures()


def test_who_is_away_now_and_soon(manager, lead, alice, bob):
    day = NOW.date()

    def absent(user, cover, first, last):
        days = {"first_day": day + timedelta(first), "last_day": day + timedelta(last)}
        return Absence.objects.create(user=user, cover=cover, **days)

    absent(alice, lead, -5, -1)
    today = absent(alice, lead, 0, 0)
    soon = absent(bob, alice, 14, 20)
    absent(bob, alice, 15, 20)
    assert found(manager).absences == [today, soon]
    assert found(lead).absences == found(alice).absences == [today]
    assert found(bob).absences == [soon]


def test_the_day_is_the_companys(manager, settings):
    settings.TIME_ZONE = "Pacific/Auckland"
    assert found(manager, at("2026-03-31 12:00")).today == date(2026, 4, 1)
    assert found(manager, at("2026-03-31 12:00")).month.number == 4


@pytest.mark.parametrize("number", [1, 3])
def test_queries_do_not_grow(nps, manager, alice, number, django_assert_num_queries):
    for n in range(number):
        owner = colleague(f"colleague{n}", Role.ACCOUNT_MANAGER, alice.team)
        Absence.objects.create(user=owner, cover=alice, first_day=NOW, last_day=NOW)
        for hours in range(number):
            confirmed(due(nps, owner, -24 * 31 * hours, contacted=n), got_back="yes")
            due(nps, owner, 5 + hours)
    with django_assert_num_queries(12):
        assert found(manager).total.open == 2 * number**2
