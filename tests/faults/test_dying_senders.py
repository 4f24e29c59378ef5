"""Faults 3 to 8, 12 and 19: real processes that die, or stop, at each step of a mail."""

import os
import random
import signal
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from celery import current_app
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from surveys import tasks
from surveys.delivery import claim, doubt, handover, send
from surveys.loop import ask
from surveys.management.commands import clock
from surveys.models import Customer, Message
from tests.waiting import eventually

pytestmark = pytest.mark.django_db(transaction=True)
CERTAINLY_NOT_DELIVERED = ["claimed", "rendered", "connecting", "MAIL", "RCPT", "354"]
PERHAPS_DELIVERED = ["handed", "mid-body", "dot", "250"]


def die(sender, sink, point: str) -> None:
    sink.extensions = "250 8BITMIME"  # one command after the other, so that each can be the last
    assert sender("--at", point).wait() == -signal.SIGKILL
    assert eventually(
        lambda: not locks_held()
    )  # the server ends a dead client's session in its own time


def locks_held() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = "
            "(SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        return cursor.fetchone()[0]


def stop(sender, sink, point: str, *options: str):
    """A sender that was stopped at `point`; nobody can tell it from a dead one but by its lock."""
    sink.extensions = "250 8BITMIME"
    process = sender("--at", point, "--how", "stop", *options)
    assert os.WIFSTOPPED(os.waitpid(process.pid, os.WUNTRACED)[1])
    return process


def state() -> str:
    return Message.objects.get().state


@pytest.mark.parametrize("point", CERTAINLY_NOT_DELIVERED)
def test_a_sender_that_dies_before_the_hand_over_costs_nothing(sender, sink, mail, point):
    die(sender, sink, point)
    left = Message.objects.get()
    assert (left.state, left.handed_at) == ("sending", None)
    now = timezone.now()
    assert left.lease_until > now  # so it is not the end of the lease that frees it
    assert claim.free_abandoned(now) == 1
    assert state() == "queued"
    assert send.drain(timezone.now) == 1
    assert list(sink.times.values()) == [1]


def test_without_the_lock_it_would_wait_for_the_end_of_the_lease(sender, sink, mail):
    """The control: a claim that names no lock."""
    die(sender, sink, "claimed")
    Message.objects.update(sender=None)
    assert claim.free_abandoned(timezone.now()) == 0
    assert claim.free_abandoned(timezone.now() + claim.LEASE) == 1


def test_a_living_sender_keeps_its_claims(sender, sink, mail):
    process = stop(sender, sink, "354")
    assert claim.free_abandoned(timezone.now()) == 0
    process.send_signal(signal.SIGCONT)
    assert process.wait() == 0
    assert state() == "sent"


class Said(list):
    patience = 20.0  # seconds


@pytest.fixture
def long_sweep(sender, sink, mail, monkeypatch):
    """A sweep during which a sender dies, and which then waits until the row is free again. It
    says how often the reaper came between the two; nothing, if the row was not freed."""
    turns, said = [], Said()
    free = claim.free_abandoned

    def counted(now):
        turns.append(free(now))
        return turns[-1]

    def sweep():
        die(sender, sink, "claimed")
        before = len(turns)
        if eventually(lambda: state() == "queued", seconds=said.patience):
            said.append(turns.index(1) + 1 - before)

    monkeypatch.setattr(claim, "free_abandoned", counted)
    monkeypatch.setattr(tasks, "plan_waves", sweep)
    return said


def test_a_long_sweep_does_not_hold_up_the_take_over(long_sweep):
    with clock.Reaper():
        clock.run_sweeps({"plan waves": clock.sweeps()["plan waves"]}, {})
    (turns,) = long_sweep
    assert turns <= 2  # one may have been under way when it died


def test_without_a_place_of_its_own_the_reaper_would_come_too_late(long_sweep):
    """The control: one sweep after the other."""
    long_sweep.patience = 2
    both = ("plan waves", "free abandoned mail")
    clock.run_sweeps({name: clock.sweeps()[name] for name in both}, {})
    assert (long_sweep, state()) == ([], "queued")


@pytest.mark.parametrize("point", PERHAPS_DELIVERED)
def test_a_sender_that_dies_after_the_hand_over_leaves_a_doubt(sender, sink, mail, point):
    die(sender, sink, point)
    assert claim.free_abandoned(timezone.now()) == 1
    assert send.drain(timezone.now) == 0
    (doubtful,) = Message.objects.in_doubt()
    arrived = sink.times[doubtful.message_id] == 1
    assert arrived == (point in ("dot", "250"))
    doubt.settle(doubtful, arrived, timezone.now())
    assert send.drain(timezone.now) == (0 if arrived else 1)
    assert state() == "sent"
    assert list(sink.times.values()) == [1]


def test_without_the_hand_over_it_would_come_twice(sender, sink, mail):
    """The control: lease, then requeue."""
    die(sender, sink, "dot")
    Message.objects.update(handed_at=None)
    claim.free_abandoned(timezone.now())
    send.drain(timezone.now)
    assert list(sink.times.values()) == [2]


@pytest.mark.parametrize("point", ["354", "handed"])
def test_a_sender_that_was_stopped_past_its_lease_does_no_harm(sender, sink, mail, point):
    process = stop(sender, sink, point)
    later = timezone.now() + claim.LEASE + timedelta(seconds=1)
    assert claim.free_abandoned(later) == 1
    assert send.drain(lambda: later) == (1 if point == "354" else 0)
    process.send_signal(signal.SIGCONT)
    assert process.wait() == 0
    assert state() == "sent"  # by the other one, or by itself, which then knows that it arrived
    assert list(sink.times.values()) == [1]


def test_without_the_fence_the_stopped_sender_would_send_it_again(sender, sink, mail):
    """The control."""
    process = stop(sender, sink, "354", "--careless")
    later = timezone.now() + claim.LEASE + timedelta(seconds=1)
    claim.free_abandoned(later)
    send.drain(lambda: later)
    process.send_signal(signal.SIGCONT)
    process.wait()
    assert list(sink.times.values()) == [2]


def test_a_process_that_dies_before_the_broker_hears_of_it_loses_nothing(
    sender, sink, nps, customer, settings
):
    assert sender("--at", "hint").wait() == -signal.SIGKILL
    assert (state(), sink.recipients) == ("queued", [])  # the control: no tick, no mail
    settings.CELERY_BROKER_URL = ""
    call_command("clock", once=True)
    assert (state(), sink.recipients) == ("sent", [customer.email])


@pytest.fixture
def hints(sink, nps, account, settings, monkeypatch):
    """Six mails are due, and of each the hint comes three times, in any order."""
    settings.CELERY_BROKER_URL = "memory://"
    hints = []
    monkeypatch.setattr(current_app, "send_task", lambda task, **_: hints.append(task))
    for number in range(6):
        one = Customer.objects.create(account=account, email=f"h{number}@mills.example")
        ask.invite(nps, [one], f"test:{number}", timezone.now())
    thrice = [task for task in hints if task == "surveys.tasks.send_mail"] * 3
    assert len(thrice) == 18
    random.Random(1).shuffle(thrice)
    return thrice


def work_on(hints: list[str]) -> None:
    def work(task: str) -> None:
        try:
            getattr(tasks, task.rpartition(".")[2])()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, hints))


def test_hints_that_come_three_times_in_any_order_send_each_mail_once(sink, hints):
    work_on(hints)
    assert sink.recipients == [f"h{number}@mills.example" for number in range(6)]


def test_without_claims_each_hint_would_send_what_it_finds(sink, hints, monkeypatch):
    """The control: rows are read, not claimed, and whoever read one hands it over."""
    served = set()

    def read(now, limit, sender):
        found = [] if sender in served else list(Message.objects.filter(state="queued"))
        served.add(sender)
        return found

    monkeypatch.setattr(claim, "claim", read)
    monkeypatch.setattr(handover, "commit", lambda waiting, now: {one.mail.pk for one in waiting})
    work_on(hints)
    assert set(sink.times.values()) == {18}
