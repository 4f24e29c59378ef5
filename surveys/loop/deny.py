"""Deny: the customer says that nobody got back to them, or that it did not help. The task is open
again, one step up, with 24 hours of its own, in which the steps of the escalation come again. The
first 72 hours and their verdict stay.
"""

from __future__ import annotations

from datetime import datetime

from surveys.delivery.outbox import post_many
from surveys.loop.chain import Chain
from surveys.models import (
    SECOND_DEADLINE,
    AuditEntry,
    Confirmation,
    GotBack,
    Message,
    OutreachTask,
    Tier,
)
from surveys.models.escalation import Person

State = OutreachTask.State


def reopen(task: OutreachTask, word: Confirmation, now: datetime) -> None:
    """Open the closed `task`, which the caller has locked, because of the customer's `word`."""
    before = {"state": task.state, "level": task.level, "outcome": task.outcome}
    task.state, task.closed_at, task.outcome = State.OPEN, None, ""
    task.level = max(task.level, Tier.LEAD)
    task.denied_at, task.second_due_at = now, now + SECOND_DEADLINE
    task.second_contact_at = task.seen_at = None
    task.version += 1
    task.save()
    after = {"state": task.state, "level": task.level,
             "second_due_at": task.second_due_at.isoformat()}  # fmt: skip
    AuditEntry.record("deny", task, now, before=before, after=after, reason=_why(word))
    people = Chain(now).told(task, [Tier.OWNER, Tier.LEAD])
    post_many([_mail(task, word, person, now) for person in people])


def _why(word: Confirmation) -> str:
    if word.got_back == GotBack.NO:
        return "The customer says that nobody got back to them."
    return "The customer says that it did not help."


def _mail(task: OutreachTask, word: Confirmation, person: Person, now: datetime) -> Message:
    about = {"task": task, "confirmation": word, "next_at": now, "created_at": now}
    return Message.to(person, f"denied:{word.pk}", kind=Message.Kind.DENIED, **about)
