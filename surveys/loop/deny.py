"""Deny: the customer says that nobody got back to them, or that it did not help. The task is open
again, one step up, with 24 hours of its own. The first 72 hours and their verdict stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Greatest

from surveys.delivery.outbox import post_many
from surveys.loop.chain import Chain, Person
from surveys.models import (
    SECOND_DEADLINE,
    AuditEntry,
    Confirmation,
    GotBack,
    Message,
    OutreachTask,
    Tier,
    User,
)

BATCH = 200
State = OutreachTask.State


def reopen(task: OutreachTask, word: Confirmation, now: datetime) -> None:
    """Open the closed `task`, which the caller has locked, because of the customer's `word`."""
    before = {"state": task.state, "level": task.level, "outcome": task.outcome}
    task.state, task.closed_at, task.outcome = State.OPEN, None, ""
    task.level = max(task.level, Tier.LEAD)
    task.denied_at, task.second_due_at = now, now + SECOND_DEADLINE
    task.second_contact_at = None
    task.version += 1
    task.save()
    after = {"state": task.state, "level": task.level,
             "second_due_at": task.second_due_at.isoformat()}  # fmt: skip
    AuditEntry.record("deny", task, now, before=before, after=after, reason=_why(word))
    _tell(task, word, [Tier.OWNER, Tier.LEAD], now)


def _why(word: Confirmation) -> str:
    if word.got_back == GotBack.NO:
        return "The customer says that nobody got back to them."
    return "The customer says that it did not help."


def escalate(now: datetime) -> int:
    """The second deadline is over and nobody has reached the customer: tell the head, once for each
    denial. Returns how many."""
    told = 0
    while done := _batch(now):
        told += done
    return told


@transaction.atomic
def _batch(now: datetime) -> int:
    late = Confirmation.objects.filter(
        answered_at=F("task__denied_at"),
        climbed_at=None,
        task__state=State.OPEN,
        task__second_due_at__lte=now,
        task__second_contact_at=None,
    )
    free = late.select_for_update(of=("self",), skip_locked=True)
    words = list(free.select_related("task__response", "task__customer__account")[:BATCH])
    for word in words:
        _climb(word, now)
    return len(words)


def _climb(word: Confirmation, now: datetime) -> None:
    word.climbed_at = now
    word.save(update_fields=["climbed_at"])
    task = word.task
    level = Greatest(F("level"), Value(Tier.HEAD.value))
    OutreachTask.objects.filter(pk=task.pk).update(level=level)
    before, after = {"level": task.level}, {"level": max(task.level, Tier.HEAD)}
    why = "24 hours after the customer's no nobody had reached them."
    AuditEntry.record("escalate", task, now, before=before, after=after, reason=why)
    _tell(task, word, [Tier.HEAD], now)


def _tell(task: OutreachTask, word: Confirmation, tiers: Sequence[int], now: datetime) -> None:
    people = Chain(now).told(task, tiers)
    post_many([_mail(task, word, person, max(tiers), now) for person in people])


def _mail(
    task: OutreachTask, word: Confirmation, person: Person, tier: int, now: datetime
) -> Message:
    user = person if isinstance(person, User) else None
    recipient = None if isinstance(person, User) else person
    return Message(
        kind=Message.Kind.DENIED,
        dedupe_key=f"denied:{word.pk}:{tier}:{'u' if user else 'r'}{person.pk}",
        task=task,
        confirmation=word,
        user=user,
        recipient=recipient,
        next_at=now,
        created_at=now,
    )
