"""Sort: from a score to its band, and from an answer to its outreach task."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from surveys.delivery.hints import hint
from surveys.delivery.outbox import SEND, post
from surveys.loop import own, tell
from surveys.models import (
    BANDS,
    DEADLINE,
    AuditEntry,
    Band,
    Customer,
    Kind,
    Message,
    OutreachTask,
    Response,
)

Cause, State = OutreachTask.Cause, OutreachTask.State
STEEP = 3  # points of the scale
# What was before another 72 h began says nothing about them.
BYGONE = ["first_contact_at", "closed_at", "denied_at", "second_due_at", "second_contact_at"]


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


def cause_of(response: Response) -> str | None:
    """Why this answer is to be followed up, as OutreachTask.Cause; None: it is not.

    A drop in loyalty counts where the survey says so: from promoter to passive, or by 3 or more
    since the customer's previous counted answer in the same family of surveys, of the same kind.
    """
    if response.verdict != Response.Verdict.PERSON:
        return None
    if response.band == Band.DETRACTOR:
        return Cause.DETRACTOR
    if response.wants_contact:
        return Cause.CONTACT_WISH
    if response.survey.task_on_loyalty_drop and _has_dropped(response):
        return Cause.LOYALTY_DROP
    return None


def _has_dropped(response: Response) -> bool:
    if response.customer_id is None:
        return False  # nobody knows who said something before
    earlier = Response.objects.counted().filter(
        customer=response.customer_id,
        survey__family=response.survey.family_id,
        kind=response.kind,
        score__isnull=False,
        answered_at__lt=response.answered_at,
    )
    before = earlier.exclude(pk=response.pk).first()
    if before is None or before.score is None or response.score is None:
        return False
    is_less_loyal = (before.band, response.band) == (Band.PROMOTER, Band.PASSIVE)
    return is_less_loyal or before.score - response.score >= STEEP


def settle(response: Response, now: datetime, *, before: str | None, why: str) -> None:
    """Let the outreach task follow a change of the answer; call it inside that transaction.

    `before` is `cause_of` the answer before the change. A task that is no longer needed is
    withdrawn, never deleted; one that is needed again goes on with its first deadline.
    """
    cause = cause_of(response)
    if cause == before:
        return
    task = OutreachTask.objects.select_for_update().filter(response=response).first()
    if task is None:
        customer = whom_to_contact(response)
        if cause and customer:
            _open(response, customer, cause, now)
    elif cause is None:
        if task.state == State.OPEN:
            over = {"state": State.WITHDRAWN, "withdrawn_reason": why}
            _change(task, "withdraw", now, why, **over, snoozed_until=None, snooze_reason="")
    else:
        _need_again(task, cause, now, why)


def _need_again(task: OutreachTask, cause: str, now: datetime, why: str) -> None:
    """Only a detractor's answer starts another 72 h, unless those of another cause still run."""
    wait = {"state": State.OPEN, "withdrawn_reason": "", "cause": cause}
    is_waiting = task.state == State.OPEN and task.first_contact_at is None
    if cause == Cause.DETRACTOR != task.cause and not is_waiting:
        anew = {"started_at": now, "due_at": now + DEADLINE, **dict.fromkeys(BYGONE)}
        _change(task, "reopen", now, why, **wait, **anew)
    elif task.state == State.WITHDRAWN:
        _change(task, "reopen", now, why, **wait)
    elif task.state == State.OPEN:
        _change(task, "recast", now, why, cause=cause)


def whom_to_contact(response: Response) -> Customer | None:
    """Nobody for old imported answers and anonymous ones: the first are history, the second belong
    to no one we could call."""
    return response.customer if response.source == Response.Source.INVITED else None


def _open(response: Response, customer: Customer, cause: str, now: datetime) -> None:
    owner = own.first_owner(customer.account, now)
    task = OutreachTask.objects.create(
        response=response,
        customer=customer,
        owner=owner,
        cause=cause,
        started_at=now,
        due_at=now + DEADLINE,
    )
    after = {"owner": task.owner_id, "cause": cause, "due_at": task.due_at.isoformat()}
    AuditEntry.record("open", task, now, after=after)
    tell.new_task(task, now)


def tell_owner_more(response: Response, now: datetime) -> None:
    """The customer has added something: let the mail that waits for it go, or send another."""
    if cause_of(response) is None:
        return
    about = {"task__response": response, "task__state": State.OPEN}
    mails = Message.objects.filter(kind=Message.Kind.TASK_OPENED, **about)
    if mails.filter(state=Message.State.QUEUED).update(next_at=now):
        hint(SEND)
        return
    task = OutreachTask.objects.open().filter(response=response).first()
    if task and task.owner_id and (response.comment or response.wants_contact):
        key = f"task-told:{task.pk}:{task.owner_id}:{now.isoformat()}"
        post(Message.Kind.TASK_OPENED, key, now, task=task, user=task.owner)


def _change(task: OutreachTask, verb: str, now: datetime, why: str, **to: Any) -> None:
    before = {name: getattr(task, name) for name in to}
    for name, value in to.items():
        setattr(task, name, value)
    task.version += 1
    task.save(update_fields=[*to, "version"])
    AuditEntry.record(verb, task, now, before=_said(before), after=_said(to), reason=why)


def _said(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in values.items()
    }
