"""Faults 20 and 21: two clocks at once, and one that was down for hours."""

import os
import subprocess
import sys
from collections import Counter
from datetime import timedelta

import pytest
from django.utils import timezone

from analysis import tasks
from surveys.loop import answer, ask
from surveys.models import (
    Customer,
    Invitation,
    Message,
    OutreachTask,
    Reminder,
    Slot,
    Tick,
    Wave,
)
from surveys.models.outreach import DEADLINE
from tests.faults.conftest import ROOT, environment
from voc.embedded.ports import LOOPBACK

pytestmark = pytest.mark.django_db(transaction=True)
HOUR = timedelta(hours=1)
DAY = 24 * HOUR
READ = "too few comments for themes"  # what each run of the nightly job says, of one survey
DOWN = 6 * HOUR
LATE = 100  # deadlines


@pytest.fixture
def run(sink):
    """Runs tests/faults/clockwork.py on this test's database and mail server; returns how often
    the nightly job ran in it."""
    url = f"smtp://{LOOPBACK}:{sink.port}"
    here = os.environ | environment() | {"EMAIL_URL": url, "LOG_LEVEL": "INFO"}

    def run(*options: str) -> int:
        done = subprocess.run(
            [sys.executable, "-m", "tests.faults.clockwork", *options],
            cwd=ROOT,
            env=here,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stderr.count(READ)

    return run


def test_two_clocks_and_three_senders_do_everything_once(run, sink, nps, account, manager):
    """A wave to plan, mails to send, reminders and silences to find, and the job of the night."""
    for number in range(60):
        Customer.objects.create(
            account=account, email=f"c{number:02}@mills.example", is_key_contact=number < 30
        )
    now = timezone.now()
    asked = Customer.objects.filter(is_key_contact=True)
    ask.invite(nps, asked, "test:1", now - 20 * DAY)
    Message.objects.update(state="sent", sent_at=now - 20 * DAY)
    Reminder.objects.create(survey=nps, number=1, after_days=5)
    wave = Wave.objects.create(survey=nps, name="Spring")
    ask.launch(wave, manager, now)
    assert run("--clocks=2", "--senders=3") == 1
    assert wave.invitations.count() == 60
    made = Message.objects.filter(created_at__gt=now - DAY)
    assert Counter(made.values_list("kind", flat=True)) == {
        "invitation": 30, "reminder": 30, "contact_silent": 30
    }  # fmt: skip
    run("--clocks=0", "--senders=3")  # what was found after the others had looked
    assert set(made.values_list("state", flat=True)) == {"sent"}
    assert (len(sink.times), max(sink.times.values())) == (90, 1)


def test_without_the_slot_two_clocks_would_run_the_job_twice(run, nps):
    """The control."""
    assert run("--clocks=2", "--careless") == 2


@pytest.fixture
def down_for_hours(sink, nps, account):
    """The clock stopped, and then 100 deadlines passed, and the hour of the nightly job."""
    now = timezone.now()
    for number in range(LATE):
        Customer.objects.create(account=account, email=f"c{number}@mills.example")
    started = now - DEADLINE - DOWN
    ask.invite(nps, Customer.objects.all(), "test:1", started - DAY)
    Message.objects.update(state="sent", sent_at=started - DAY)
    for number, invitation in enumerate(Invitation.objects.order_by("pk")):
        answer.give(invitation, 2, "", started + (number + 1) * DOWN / (LATE + 1))
    Tick.objects.create(name="send mail", at=now - DOWN)
    night = tasks.night_of(now) - DAY
    Slot.objects.create(name="learn themes", slot=night, taken_at=night + 3 * HOUR)


def test_a_clock_that_was_down_catches_up_once(down_for_hours, run, sink, client):
    now = timezone.now()
    assert client.get("/readyz").json()["clock"].startswith("last tick ")
    assert OutreachTask.objects.overdue(now - DOWN).count() == 0
    assert OutreachTask.objects.overdue(now).count() == LATE  # though nothing has run since
    assert sink.kept == []
    assert run() == 1
    assert (len(sink.kept), max(sink.times.values())) == (LATE, 1)
    assert not Message.objects.exclude(state="sent").exists()
    assert run() == 0
    assert len(sink.kept) == LATE
    Slot.objects.all().delete()  # the control: it is the slot and the outbox that say “once”
    Message.objects.filter(kind="task_opened").update(state="queued")
    assert run() == 1
    assert set(sink.times.values()) == {2}
