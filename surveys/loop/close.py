"""Close: say why it went wrong, what was done, how it ended; or withdraw a needless task."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from surveys.loop.reach_out import open_task
from surveys.models import AuditEntry, OutreachTask, RootCause, User

ATTEMPTS_BEFORE_NO_REPLY = 3
Outcome = OutreachTask.Outcome
NEEDS_A_CONVERSATION = {Outcome.RECOVERED, Outcome.IMPROVED, Outcome.ACCEPTED}


class CannotClose(Exception):
    """Something that closing needs is missing; the message says what."""


@transaction.atomic
def close(
    task: OutreachTask,
    by: User,
    root_cause: RootCause | None,
    outcome: str,
    action: str,
    now: datetime,
    version: int | None = None,
) -> OutreachTask:
    """End the outreach with a root cause, an outcome (OutreachTask.Outcome) and the action taken.

    Raises CannotClose, reach_out.NotOpen, and reach_out.ChangedMeanwhile for an outdated `version`.
    """
    fresh = open_task(task, version)
    action = action.strip()
    if root_cause is None or outcome not in Outcome.values or not action:
        raise CannotClose("Closing needs a root cause, an outcome and the action taken.")
    _refuse_what_is_too_coarse(root_cause)
    _require_evidence(fresh, outcome)
    fresh.state = OutreachTask.State.CLOSED
    fresh.root_cause, fresh.outcome, fresh.action = root_cause, outcome, action
    fresh.closed_at = now
    fresh.closings += 1
    _end(fresh)
    after = {"root_cause": root_cause.pk, "outcome": outcome, "action": action}
    AuditEntry.record("close", fresh, now, actor=by, after=after)
    return fresh


def _end(task: OutreachTask) -> None:
    task.snoozed_until, task.snooze_reason = None, ""
    task.version += 1
    task.save()


def _refuse_what_is_too_coarse(cause: RootCause) -> None:
    if finer := list(cause.children.filter(is_active=True).values_list("name", flat=True)[:3]):
        raise CannotClose(f"“{cause}” has finer causes: choose one, such as {', '.join(finer)}.")


def _require_evidence(task: OutreachTask, outcome: str) -> None:
    """After a denial only what was done since then counts."""
    if outcome in NEEDS_A_CONVERSATION and not task.was_reached:
        raise CannotClose(
            "Nobody has reached this customer yet. Log the conversation first, or close with "
            "“lost” or “no reply”."
        )
    since = task.denied_at
    attempts = sum(not since or one.counts_from > since for one in task.contacts.all())
    if outcome == Outcome.NO_REPLY and attempts < ATTEMPTS_BEFORE_NO_REPLY:
        raise CannotClose(
            f"“No reply” needs {ATTEMPTS_BEFORE_NO_REPLY} logged attempts; there are {attempts}."
        )


@transaction.atomic
def withdraw(
    task: OutreachTask, by: User, reason: str, now: datetime, version: int | None = None
) -> OutreachTask:
    """Take back a task that should not have been opened; it stays visible in every rate.

    Raises CannotClose without a reason or when `by` leads nobody, reach_out.NotOpen, and
    reach_out.ChangedMeanwhile for an outdated `version`.
    """
    if not by.has_perm("surveys.withdraw_outreachtask"):
        raise CannotClose("Only a team lead or a manager can withdraw a task.")
    if not reason.strip():
        raise CannotClose("Say why the task is withdrawn.")
    fresh = open_task(task, version)
    fresh.state, fresh.withdrawn_reason = OutreachTask.State.WITHDRAWN, reason.strip()[:200]
    _end(fresh)
    AuditEntry.record("withdraw", fresh, now, actor=by, reason=reason)
    return fresh
