"""Fault 33: twenty colleagues take one task at the same moment; one of them has it.

`make tasks-life` lets them meet 1,000 times.
"""

from __future__ import annotations

import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connections
from django.db.models import QuerySet
from django.utils import timezone

from surveys.loop import answer, ask, reach_out
from surveys.models import AuditEntry, Customer, OutreachTask, User
from tests.conftest import colleague

pytestmark = pytest.mark.django_db(transaction=True)
CLIENTS = 20
CLAIMS = int(os.environ.get("CLAIMS", "100"))
CONTROL = 20


@pytest.fixture
def clients(team) -> list[User]:
    return [colleague(f"manager{number}", "account_manager", team) for number in range(CLIENTS)]


@pytest.fixture
def tasks(nps):
    def open_tasks(number: int) -> list[OutreachTask]:
        """Of customers without an account: nobody's."""
        people = [Customer.objects.create(email=f"c{i}@mills.example") for i in range(number)]
        for invitation in ask.invite(nps, people, "test:1", timezone.now()):
            answer.give(invitation, 2, "It never came.", timezone.now())
        return list(OutreachTask.objects.order_by("pk"))

    return open_tasks


def claim(user: User, tasks: list[OutreachTask], meet: Barrier) -> list[str]:
    """What became of each claim; all clients reach for the same task at the same moment."""
    said = []
    try:
        for task in tasks:
            meet.wait(60)
            try:
                reach_out.assign(task, user, user, timezone.now())
            except reach_out.ChangedMeanwhile as refusal:
                said.append(str(refusal))
            else:
                said.append("won")
        return said
    finally:
        connections.close_all()


def race(clients: list[User], tasks: list[OutreachTask]) -> list[tuple[str, ...]]:
    """For each task, what each of the clients was told."""
    meet = Barrier(len(clients))
    with ThreadPoolExecutor(len(clients)) as pool:
        claims = [pool.submit(claim, user, tasks, meet) for user in clients]
        return list(zip(*(one.result() for one in claims), strict=True))


def test_each_task_has_one_winner_and_the_others_are_told_who(clients, tasks):
    opened = tasks(CLAIMS)
    told = race(clients, opened)
    assert Counter(said.count("won") for said in told) == {1: CLAIMS}
    for task, said in zip(opened, told, strict=True):
        task.refresh_from_db()
        winner = clients[said.index("won")]
        others = Counter(said) - Counter(["won"])
        assert (task.owner, task.version) == (winner, 2)
        by_whom = f"This task belongs to {winner} by now. Last change: assign by {winner}, "
        assert [each.startswith(by_whom) for each in others] == [True]
        assert others.total() == CLIENTS - 1
    assert AuditEntry.objects.filter(verb="assign").count() == CLAIMS


def test_without_the_lock_several_would_win(clients, tasks, monkeypatch):
    """The control: look, then write."""
    opened = tasks(CONTROL)
    monkeypatch.setattr(QuerySet, "select_for_update", lambda rows, **options: rows)
    winners = [said.count("won") for said in race(clients, opened)]
    assert max(winners) > 1
