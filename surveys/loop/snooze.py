"""Snooze: put a task out of sight until a moment, and say why. Its deadline comes all the same."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from surveys.loop.reach_out import open_task
from surveys.models import AuditEntry, OutreachTask, User

LONGEST = timedelta(days=30)
REASON_LENGTH = 200


class CannotSnooze(Exception):
    """No reason, or a moment that makes no sense; the message says which."""


@transaction.atomic
def snooze(
    task: OutreachTask,
    by: User,
    until: datetime,
    reason: str,
    now: datetime,
    version: int | None = None,
) -> OutreachTask:
    """Out of the queue until `until`, when it is back by itself. No deadline, notice or step of the
    escalation waits for it.

    Raises CannotSnooze, reach_out.NotOpen, and reach_out.ChangedMeanwhile for an old `version`.
    """
    if not reason.strip():
        raise CannotSnooze("Say why it can wait.")
    if not now < until <= now + LONGEST:
        raise CannotSnooze(f"Choose a moment within the next {LONGEST.days} days.")
    fresh = open_task(task, version)
    return _set(fresh, "snooze", by, until, reason.strip()[:REASON_LENGTH], now)


@transaction.atomic
def wake(task: OutreachTask, by: User, now: datetime, version: int | None = None) -> OutreachTask:
    """Back into the queue before its time. Raises as `snooze` does."""
    fresh = open_task(task, version)
    if not fresh.is_asleep(now):
        raise CannotSnooze("This task is awake.")
    return _set(fresh, "wake", by, None, "", now)


def _set(
    task: OutreachTask, verb: str, by: User, until: datetime | None, reason: str, now: datetime
) -> OutreachTask:
    before, after = _said(task.snoozed_until), _said(until)
    task.snoozed_until, task.snooze_reason = until, reason
    task.version += 1
    task.save(update_fields=["snoozed_until", "snooze_reason", "version"])
    AuditEntry.record(verb, task, now, actor=by, before=before, after=after, reason=reason)
    return task


def _said(until: datetime | None) -> dict[str, str | None]:
    return {"snoozed_until": until.isoformat() if until else None}
