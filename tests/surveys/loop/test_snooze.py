from datetime import timedelta

import pytest

from surveys.loop import answer, ask, close, reach_out, snooze
from surveys.models import AuditEntry, OutreachTask

HOUR = timedelta(hours=1)


@pytest.fixture
def task(nps, customer, now):
    return answer.give(ask.invite(nps, [customer], "event:1", now)[0], 2, "Late.", now)[0].task


def test_a_snoozed_task_sleeps_and_wakes_by_itself(task, alice, now):
    snooze.snooze(task, alice, now + 5 * HOUR, "Back on Monday", now)
    asleep, awake = OutreachTask.objects.asleep, OutreachTask.objects.awake
    assert [asleep(now).count(), awake(now).count()] == [1, 0]
    assert [asleep(now + 5 * HOUR).count(), awake(now + 5 * HOUR).count()] == [0, 1]
    entry = AuditEntry.objects.get(verb="snooze")
    assert (entry.actor, entry.reason) == (alice, "Back on Monday")


def test_no_deadline_waits_for_it(task, alice, now):
    due_at = task.due_at
    snoozed = snooze.snooze(task, alice, now + 100 * HOUR, "Back on Monday", now)
    assert (snoozed.due_at, snoozed.is_overdue(now + 73 * HOUR)) == (due_at, True)
    assert OutreachTask.objects.overdue(now + 73 * HOUR).get() == task


@pytest.mark.parametrize(
    ("hours", "reason", "said"),
    [(5, " ", "Say why"), (0, "Busy", "next 30 days"), (-1, "Busy", "next"), (721, "Busy", "next")],
)
def test_it_needs_a_reason_and_a_sensible_moment(task, alice, now, hours, reason, said):
    with pytest.raises(snooze.CannotSnooze, match=said):
        snooze.snooze(task, alice, now + hours * HOUR, reason, now)


def test_it_can_be_woken_before_its_time(task, alice, now):
    snooze.snooze(task, alice, now + 5 * HOUR, "Back on Monday", now)
    woken = snooze.wake(task, alice, now + HOUR)
    assert (woken.snoozed_until, woken.snooze_reason) == (None, "")
    with pytest.raises(snooze.CannotSnooze, match="awake"):
        snooze.wake(task, alice, now + HOUR)


def test_a_stale_form_and_a_closed_task_are_refused(task, alice, lead, root_cause, now):
    seen = task.version
    reach_out.log_contact(task, lead, "phone", "no_answer", "", now)
    with pytest.raises(reach_out.ChangedMeanwhile):
        snooze.snooze(task, alice, now + HOUR, "Busy", now, seen)
    snooze.snooze(task, alice, now + HOUR, "Busy", now)
    closed = close.close(task, alice, root_cause, "lost", "They left.", now)
    assert closed.snoozed_until is None
    with pytest.raises(reach_out.NotOpen):
        snooze.snooze(task, alice, now + HOUR, "Busy", now)
