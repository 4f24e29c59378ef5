"""Two hand out the same tasks at the same instant: each task goes to one of them."""

from threading import Barrier, Thread

import pytest
from django.db import connection
from django.utils import timezone

from surveys.loop import hand_out, reach_out
from surveys.models import AuditEntry, OutreachTask
from tests.analysis.rows import detractor

TASKS = 12


@pytest.fixture
def tasks(nps, now):
    return [detractor(nps, now) for _ in range(TASKS)]


def at_once(*jobs) -> None:
    """Each job in a thread and on a connection of its own, all beginning together."""
    barrier = Barrier(len(jobs))

    def run(job):
        try:
            barrier.wait(timeout=30)
            job()
        finally:
            connection.close()

    threads = [Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.django_db(transaction=True)
def test_each_task_has_one_winner_and_the_loser_is_told(tasks, alice, bob, lead, manager):
    done = {}

    def job(by, to, order):
        def give():
            shown = [OutreachTask(pk=task.pk, owner_id=None) for task in order]
            done[by] = hand_out.hand_out(shown, to, by, timezone.now())

        return give

    at_once(job(lead, alice, tasks), job(manager, bob, tasks[::-1]))
    given = {by: {task.pk for task in each.given} for by, each in done.items()}
    assert given[lead] | given[manager] == {task.pk for task in tasks}
    assert not given[lead] & given[manager]
    for by, loser_of in ((lead, bob), (manager, alice)):
        for _, why in done[by].refused:
            assert why.startswith(f"This task belongs to {loser_of} by now.")
    owners = dict(OutreachTask.objects.values_list("pk", "owner_id"))
    assert {pk for pk, owner in owners.items() if owner == alice.pk} == given[lead]
    assert AuditEntry.objects.filter(verb="assign").count() == TASKS


@pytest.mark.django_db(transaction=True)
def test_without_asking_whose_it_was_both_would_win(tasks, alice, bob, lead, manager, monkeypatch):
    """The control: the later one overwrites the earlier, and nobody is told."""
    honest = reach_out.assign

    def careless(task, to, by, now, why=""):
        task.owner_id = OutreachTask.objects.values_list("owner_id", flat=True).get(pk=task.pk)
        return honest(task, to, by, now, why)

    monkeypatch.setattr(reach_out, "assign", careless)
    for by, to in ((lead, alice), (manager, bob)):
        shown = [OutreachTask(pk=task.pk, owner_id=None) for task in tasks]
        assert hand_out.hand_out(shown, to, by, timezone.now()).refused == []
    assert set(OutreachTask.objects.values_list("owner_id", flat=True)) == {bob.pk}
    assert AuditEntry.objects.filter(verb="assign").count() == 2 * TASKS
