"""Owners and accounts that change in the very moment in which a sweep gives tasks out."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from surveys.loop import answer, ask, own, reach_out
from surveys.models import Account, OutreachTask
from tests.faults.test_merging import somebody_waits
from tests.waiting import eventually

pytestmark = pytest.mark.django_db(transaction=True)
CLOSE = "SELECT pg_advisory_xact_lock(4711)"
GATE = "(SELECT 1 FROM pg_advisory_xact_lock_shared(4711)) = 1"


@pytest.fixture
def unowned(nps, customer):
    """A task that was nobody's, though its account has an owner by now."""
    now = timezone.now()
    task = answer.give(ask.invite(nps, [customer], "test:1", now)[0], 2, "Late.", now)[0].task
    OutreachTask.objects.update(owner=None, assigned_at=None)
    return task


@contextmanager
def meanwhile(verb: Callable[[], object]):
    """`start()` lets `verb` run on a connection of its own, beside the transaction of the block."""

    def run() -> object:
        try:
            return verb()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        yield lambda: pool.submit(run)


def settle_behind_a_gate(task, bob, monkeypatch) -> None:
    """The sweep's query has begun, and waits, as the customer goes to Bob's account."""
    unowned, mill = own._unowned, Account.objects.create(name="Old Mill", owner=bob)
    gated = {"where": [GATE]}
    monkeypatch.setattr(own, "_unowned", lambda deal: unowned(deal).extra(**gated))
    with meanwhile(lambda: own.settle(timezone.now())) as start:
        connection.cursor().execute(CLOSE)
        start()
        assert eventually(somebody_waits)
        task.customer.account = mill
        task.customer.save()
    task.refresh_from_db()


def test_a_sweep_gives_a_task_to_whoever_looks_after_the_account_by_now(unowned, bob, monkeypatch):
    settle_behind_a_gate(unowned, bob, monkeypatch)
    assert unowned.owner == bob


def test_rows_joined_by_the_query_that_locks_are_old(unowned, alice, bob, monkeypatch):
    """The control."""

    def joined(rows, *, waits=False):
        free = rows.select_for_update(of=("self",), skip_locked=True, no_key=True)
        return list(free.select_related("customer__account", "response", "owner"))

    monkeypatch.setattr(own, "_locked", joined)
    settle_behind_a_gate(unowned, bob, monkeypatch)
    assert unowned.owner == alice


@pytest.fixture
def hers(unowned, alice):
    OutreachTask.objects.update(owner=alice)
    return unowned


def follow_during_a_contact(task, account, alice, bob, *, is_patient: bool) -> int:
    """Alice logs a call in the moment in which the account, with its tasks, goes to Bob; returns
    how many have followed."""
    account.owner = bob
    account.save()
    with meanwhile(lambda: own.follow(account, alice.pk, timezone.now())) as start:
        reach_out.log_contact(task, alice, "phone", "spoke", "", timezone.now())
        done = start()
        assert eventually(somebody_waits if is_patient else done.done)
    task.refresh_from_db()
    return done.result()


def test_a_task_that_is_worked_on_follows_a_moment_later(hers, account, alice, bob):
    assert follow_during_a_contact(hers, account, alice, bob, is_patient=True) == 1
    assert (hers.owner, hers.contacts.count(), hers.was_reached) == (bob, 1, True)


def test_whoever_skips_it_leaves_it_behind(hers, account, alice, bob, monkeypatch):
    """The control."""
    locked = own._locked
    monkeypatch.setattr(own, "_locked", lambda rows, *, waits: locked(rows))
    assert follow_during_a_contact(hers, account, alice, bob, is_patient=False) == 0
    assert hers.owner == alice
