from datetime import date, timedelta

import pytest

from analysis.loads import loads, room
from surveys.models import Absence, Account, Customer, OutreachTask, Role
from tests.analysis.rows import at, detractor
from tests.conftest import colleague

TUESDAY = at("2026-03-10 09:00")
FRIDAY = at("2026-03-13 09:00")
DAYS = [date(2026, 3, 10 + n) for n in range(4)]


def due(nps, owner, hours: float, now=TUESDAY, **fields) -> OutreachTask:
    """Open, with so many hours left of its 72."""
    account, _ = Account.objects.get_or_create(name=f"Of {owner}", owner=owner)
    customer = Customer.objects.create(name="Somebody", account=account)
    task = detractor(nps, now - timedelta(hours=72 - hours), customer=customer)
    OutreachTask.objects.filter(pk=task.pk).update(owner=owner, **fields)
    return task


def away(user, cover, first: date, last: date) -> Absence:
    return Absence.objects.create(user=user, cover=cover, first_day=first, last_day=last)


def rows(user, now=TUESDAY, tasks_a_day=2) -> list[tuple]:
    return [
        (str(one.worker), one.waiting, one.day.day, one.need, one.room, one.spare)
        for one in loads(user, tasks_a_day, now)
    ]


@pytest.mark.parametrize(
    ("days", "done", "spans", "found"),
    [
        (DAYS, 0, [], [5, 10, 15, 20]),
        (DAYS, 3, [], [2, 7, 12, 17]),
        (DAYS, 9, [], [0, 5, 10, 15]),
        (DAYS, 0, [(DAYS[1], DAYS[2])], [5, 5, 5, 10]),
        (DAYS, 4, [(DAYS[0], DAYS[0])], [0, 5, 10, 15]),
        ([date(2026, 3, 13 + n) for n in range(4)], 0, [], [5, 5, 5, 10]),  # over a weekend
        ([date(2026, 3, 14 + n) for n in range(4)], 0, [], [0, 0, 5, 10]),
    ],
)
def test_there_is_room_on_working_days_on_which_one_is_here(days, done, spans, found):
    assert room(days, 5, done, spans) == found


def test_the_day_shown_is_the_tightest(nps, manager, alice):
    for hours in (-5, 2, 20, 30, 32, 33, 34):
        due(nps, alice, hours)
    # Tuesday: 2 of 2; Wednesday: 7 of 4; Thursday: 7 of 6; Friday: 7 of 8
    assert rows(manager) == [("Alice", 7, 11, 7, 4, -3)]


def test_of_days_as_tight_the_first_is_shown(nps, manager, alice):
    assert rows(manager) == [("Alice", 0, 10, 0, 2, 2)]


def test_what_falls_due_at_the_weekend_has_to_fit_before_it(nps, manager, alice):
    for _ in range(3):
        due(nps, alice, 30, now=FRIDAY)
    assert rows(manager, FRIDAY) == [("Alice", 3, 14, 3, 2, -1)]


def test_those_reached_are_no_load_and_take_their_room_of_today(nps, manager, alice):
    due(nps, alice, 20)
    due(nps, alice, 10, first_contact_at=TUESDAY - timedelta(hours=1))
    due(nps, alice, 10, first_contact_at=TUESDAY - timedelta(hours=10))  # yesterday
    assert rows(manager) == [("Alice", 1, 10, 0, 1, 1)]


def test_a_second_contact_of_today_takes_room_too(nps, manager, alice):
    denied = TUESDAY - timedelta(hours=20)
    fields = {"denied_at": denied, "second_due_at": denied + timedelta(hours=24)}
    early = {"first_contact_at": TUESDAY - timedelta(days=6), **fields}
    due(nps, alice, -80, **early)
    due(nps, alice, -80, **early, second_contact_at=TUESDAY)
    assert rows(manager) == [("Alice", 1, 10, 1, 1, 0)]


def test_whoever_stands_in_has_the_load_of_the_absent(nps, manager, alice, bob):
    away(alice, bob, DAYS[0], DAYS[1])
    due(nps, alice, 5)
    due(nps, bob, 5)
    [one] = loads(manager, 2, TUESDAY)
    assert (one.worker, one.waiting, one.stands_in_for) == (bob, 2, ("Alice",))


def test_an_absence_of_tomorrow_takes_its_room(nps, manager, alice, bob):
    away(alice, bob, DAYS[1], DAYS[3])
    for _ in range(3):
        due(nps, alice, 40)
    assert rows(manager)[0] == ("Alice", 3, 12, 3, 2, -1)


def test_unassigned_tasks_and_colleagues_who_left_are_nobodys_load(nps, manager, alice):
    task = due(nps, alice, 5)
    due(nps, alice, 5)
    OutreachTask.objects.filter(pk=task.pk).update(owner=None)
    assert rows(manager) == [("Alice", 1, 10, 1, 2, 1)]
    alice.is_active = False
    alice.save()
    assert rows(manager) == []


def test_everybody_sees_those_they_lead_or_cover(nps, manager, auditor, product, lead, alice, bob):
    carol = colleague("carol", Role.ACCOUNT_MANAGER, bob.team)
    away(carol, bob, DAYS[0], DAYS[0])
    due(nps, bob, 5)
    names = {user: {row[0] for row in rows(user)} for user in (manager, auditor, lead, alice, bob)}
    assert names == {
        manager: {"Alice", "Bob"},
        auditor: {"Alice", "Bob"},
        lead: {"Alice"},
        alice: {"Alice"},
        bob: {"Bob"},
    }
    assert rows(product) == []


def test_a_lead_sees_the_whole_load_of_the_team_also_from_elsewhere(nps, lead, alice, bob):
    away(bob, alice, DAYS[0], DAYS[0])
    due(nps, bob, 5)
    due(nps, alice, 5)
    assert rows(lead) == [("Alice", 2, 10, 2, 2, 0)]


@pytest.mark.parametrize("number", [1, 3])
def test_queries_do_not_grow(nps, manager, alice, number, django_assert_num_queries):
    for n in range(number):
        owner = colleague(f"colleague{n}", Role.ACCOUNT_MANAGER, alice.team)
        away(owner, alice, DAYS[1], DAYS[2])
        for _ in range(number):
            due(nps, owner, 5)
    with django_assert_num_queries(6):
        assert len(loads(manager, 5, TUESDAY)) == number + 1
