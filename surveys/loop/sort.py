"""Sort: from a score to its band, and from a detractor's answer to its outreach task."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from surveys.delivery.outbox import post
from surveys.models import (
    BANDS,
    DEADLINE,
    AuditEntry,
    Customer,
    Kind,
    Message,
    OutreachTask,
    Response,
)


class ScoreOutOfRange(ValueError):
    """The score is not on the survey's scale."""


def band(kind: str, score: int) -> str:
    """promoter, passive or detractor: NPS 0-10 (9-10, 7-8, 0-6), CSAT 1-5 (4-5, 3, 1-2),
    CES 1-7 (5-7, 4, 1-3). Raises ScoreOutOfRange."""
    for name, (low, high) in BANDS[kind].items():
        if low <= score <= high:
            return name
    scale = Kind(kind).scale
    raise ScoreOutOfRange(f"{score} is not on the scale from {scale[0]} to {scale[-1]}.")


def settle(response: Response, now: datetime, *, was_detractor: bool, why: str) -> None:
    """Let the outreach task follow a change of the answer; call it inside that transaction.

    The 72 h start when the answer becomes a counted detractor's. A task that is no longer needed is
    withdrawn, never deleted; one that is needed again goes on with its first deadline.
    """
    is_detractor = response.is_counted_detractor
    if is_detractor == was_detractor:
        return
    task = OutreachTask.objects.select_for_update().filter(response=response).first()
    if task is None:
        customer = whom_to_contact(response)
        if is_detractor and customer:
            _open(response, customer, now)
    elif is_detractor and task.state == OutreachTask.State.WITHDRAWN:
        _change(task, now, why, state=OutreachTask.State.OPEN, withdrawn_reason="")
    elif not is_detractor and task.state == OutreachTask.State.OPEN:
        _change(task, now, why, state=OutreachTask.State.WITHDRAWN, withdrawn_reason=why)


def whom_to_contact(response: Response) -> Customer | None:
    """Nobody for old imported answers and anonymous ones: the first are history, the second belong
    to no one we could call."""
    return response.customer if response.source == Response.Source.INVITED else None


def _open(response: Response, customer: Customer, now: datetime) -> None:
    owner = customer.account.owner if customer.account else None
    task = OutreachTask.objects.create(
        response=response,
        customer=customer,
        owner=owner,
        started_at=now,
        due_at=now + DEADLINE,
    )
    AuditEntry.record("open", task, now, after={"owner": task.owner_id, "due_at": str(task.due_at)})
    tell_owner(task, now)


def tell_owner(task: OutreachTask, now: datetime) -> None:
    """Mail the task's owner, once for each owner it gets."""
    if task.owner_id:
        key = f"task-opened:{task.pk}:{task.owner_id}"
        post(Message.Kind.TASK_OPENED, key, now, task=task, user=task.owner)


def _change(task: OutreachTask, now: datetime, why: str, **to: Any) -> None:
    before = {name: getattr(task, name) for name in to}
    for name, value in to.items():
        setattr(task, name, value)
    task.version += 1
    task.save(update_fields=[*to, "version"])
    verb = "withdraw" if task.state == OutreachTask.State.WITHDRAWN else "reopen"
    AuditEntry.record(verb, task, now, before=before, after=to, reason=why)
