"""A web process whose clock is ten minutes slow: whether a contact was in time, and when a task was
closed, is the database's to say."""

from datetime import timedelta

import pytest
from django.utils import timezone

from surveys.admin import task_page
from surveys.loop import answer, ask
from surveys.models import DEADLINE, OutreachTask, database_now
from tests.surveys.admin.conftest import do

SLOW = timedelta(minutes=10)


@pytest.fixture
def overdue(nps, customer, alice):
    """By a minute."""
    then = database_now() - DEADLINE - timedelta(minutes=1)
    invitation = ask.invite(nps, [customer], "test:1", then)[0]
    return answer.give(invitation, 2, "It never came.", then)[0].task


@pytest.fixture
def slow(monkeypatch):
    right = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: right() - SLOW)
    return timezone.now


def log(client, task):
    do(client, task, "contact", channel="phone", outcome="spoke")
    return OutreachTask.objects.get(pk=task.pk)


def test_a_late_contact_is_late(signed_in, alice, overdue, slow):
    task = log(signed_in(alice), overdue)
    assert task.first_contact_at > task.due_at


def test_by_the_processs_own_clock_it_would_be_in_time(
    signed_in, alice, overdue, slow, monkeypatch
):
    """The control."""
    monkeypatch.setattr(task_page, "database_now", slow)
    task = log(signed_in(alice), overdue)
    assert task.first_contact_at < task.due_at
