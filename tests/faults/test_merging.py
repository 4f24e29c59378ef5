"""Customers who answer in the very moment in which their records are merged."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from surveys.loop import ask, merge, press
from surveys.models import Customer, Invitation, OutreachTask, Response
from tests.waiting import eventually

pytestmark = pytest.mark.django_db(transaction=True)
PAIRS = 12


@pytest.fixture
def twins(account):
    """Pairs of records, each pair one customer."""
    return [
        tuple(
            Customer.objects.create(account=account, email=f"{name}{number}@lakeside.example")
            for name in ("kept", "other")
        )
        for number in range(PAIRS)
    ]


def asked(survey, customer) -> Invitation:
    return ask.invite(survey, [customer], "test:1", timezone.now())[0]


def press_once(token: str) -> press.Press | None:
    try:
        return press.press(token, 2, "Late again.", "en", "c", timezone.now())
    finally:
        connections.close_all()


def merge_them(kept: Customer, other: Customer, manager) -> None:
    try:
        merge.merge_customers(kept, [other], manager, "Same phone.", timezone.now())
    finally:
        connections.close_all()


def somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")  # a transaction sees one picture of it
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return cursor.fetchone()[0] > 0


def press_while_merging(twins, survey, manager) -> press.Press | None:
    """The press waits inside PostgreSQL until the merge is through."""
    kept, other = twins[0]
    token = asked(survey, other).token()
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            merge.merge_customers(kept, [other], manager, "Same phone.", timezone.now())
            pressed = pool.submit(press_once, token)
            assert eventually(somebody_waits)
        return pressed.result()


def test_an_answer_that_waits_for_the_merge_finds_its_customer(twins, nps, manager):
    assert press_while_merging(twins, nps, manager).response
    kept, _ = twins[0]
    assert [Response.objects.get().customer, OutreachTask.objects.get().customer] == [kept, kept]


def test_without_a_second_try_it_would_be_lost(twins, nps, manager, monkeypatch):
    """The control."""
    monkeypatch.setattr(press, "TRIES", 1)
    assert press_while_merging(twins, nps, manager) is None
    assert not Response.objects.exists()


def test_a_merge_that_waits_for_an_answer_moves_it(twins, nps, manager):
    kept, other = twins[0]
    token = asked(nps, other).token()
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            assert press.press(token, 2, "Late again.", "en", "c", timezone.now()).response
            merging = pool.submit(merge_them, kept, other, manager)
            assert eventually(somebody_waits)
        merging.result()
    assert [Response.objects.get().customer, OutreachTask.objects.get().customer] == [kept, kept]
    assert merge.follow_up(timezone.now()) == 0


def test_an_invitation_planned_during_the_merge_is_moved_afterwards(twins, nps, manager):
    """Its transaction had read the duplicate before, and commits after."""
    kept, other = twins[0]
    stale = Customer.objects.get(pk=other.pk)
    merge.merge_customers(kept, [other], manager, "Same phone.", timezone.now())
    invitation = Invitation.objects.create(
        survey=nps, customer=stale, occasion="test:1", language="en",
        created_at=timezone.now(), expires_at=timezone.now(),
    )  # fmt: skip
    assert merge.follow_up(timezone.now()) == 1
    invitation.refresh_from_db()
    assert invitation.customer == kept


def meet(barrier: Barrier, work, *arguments):
    try:
        barrier.wait(20)
        return work(*arguments)
    finally:
        connections.close_all()


def test_answers_and_merges_at_once_lose_nothing(twins, nps, manager):
    invitations = {pair: [asked(nps, customer) for customer in pair] for pair in twins}
    now = timezone.now()
    for (kept, other), theirs in invitations.items():
        barrier = Barrier(3)
        merging = (merge.merge_customers, kept, [other], manager, "Same phone.", now)
        answers = [(press.press, i.token(), 2, "Late.", "en", "c", timezone.now()) for i in theirs]
        with ThreadPoolExecutor(3) as pool:
            started = [pool.submit(meet, barrier, *work) for work in (merging, *answers)]
        for one in started:
            one.result()
    merge.follow_up(timezone.now())
    for kept, other in twins:
        theirs = invitations[kept, other]
        assert {r.invitation_id for r in kept.responses.all()} == {i.pk for i in theirs}
        assert kept.tasks.count() == kept.invitations.count() == 2
        assert not any(rows.exists() for rows in (other.responses, other.tasks, other.invitations))
    assert Response.objects.count() == OutreachTask.objects.count() == 2 * PAIRS
