"""Reach out: take a task, hand it over, and log each attempt to contact the customer."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import uuid4

from django.db import transaction

from surveys.loop import tell
from surveys.models import AuditEntry, Contact, OutreachTask, User


class NotOpen(Exception):
    """The task is closed or withdrawn."""


class ChangedMeanwhile(Exception):
    """Somebody else changed the task since this form was opened."""


class CannotLog(Exception):
    """What is to be logged cannot be; the message says why."""


def open_task(task: OutreachTask, version: int | None = None) -> OutreachTask:
    """The task, locked for the rest of the transaction.

    Raises NotOpen, and ChangedMeanwhile when `version` is not the current one.
    """
    (fresh,) = open_tasks([task])
    _refuse_stale(fresh, version)
    return fresh


def _refuse_stale(task: OutreachTask, version: int | None) -> None:
    if version is not None and task.version != version:
        raise ChangedMeanwhile(f"This task was changed since you opened it.{_by_whom(task)}")


def open_tasks(tasks: Iterable[OutreachTask]) -> list[OutreachTask]:
    """The tasks, each once, locked in the order that all verbs keep. Raises NotOpen."""
    rows = OutreachTask.objects.select_for_update(of=("self",)).order_by("pk")
    rows = rows.filter(pk__in=[task.pk for task in tasks])
    # What is joined to a row that was waited for is as it was before the wait: so not by a join.
    locked = list(rows.prefetch_related("customer", "owner", "response"))
    for fresh in locked:
        if fresh.state != OutreachTask.State.OPEN:
            state = fresh.get_state_display().lower()
            raise NotOpen(f"This task is {state} already.{_by_whom(fresh)}")
    return locked


def _by_whom(task: OutreachTask) -> str:
    last = AuditEntry.objects.filter(noun="outreachtask", noun_id=task.pk).first()
    if last is None:
        return ""
    who = last.actor or "the customer or the clock"
    return f" Last change: {last.verb} by {who}, {last.at:%Y-%m-%d %H:%M} UTC."


@transaction.atomic
def assign(
    task: OutreachTask, to: User | None, by: User, now: datetime, why: str = ""
) -> OutreachTask:
    """Give the task to `to` (or to nobody), who is told by mail. Taking is assigning to oneself.

    Raises NotOpen, and ChangedMeanwhile when it has another owner than `task` shows.
    """
    fresh = open_task(task)
    if fresh.owner_id != task.owner_id:
        whose = fresh.owner or "nobody"
        raise ChangedMeanwhile(f"This task belongs to {whose} by now.{_by_whom(fresh)}")
    before = {"owner": fresh.owner_id}
    fresh.owner, fresh.assigned_at = to, now
    fresh.version += 1
    fresh.save(update_fields=["owner", "assigned_at", "version"])
    AuditEntry.record(
        "assign", fresh, now, actor=by, before=before, after={"owner": fresh.owner_id}, reason=why
    )
    if to != by:
        tell.new_task(fresh, now)
    return fresh


@transaction.atomic
def log_contact(
    task: OutreachTask,
    by: User,
    channel: str,
    outcome: str,
    note: str,
    now: datetime,
    *,
    claimed_at: datetime | None = None,
    also: Iterable[OutreachTask] = (),
    version: int | None = None,
) -> Contact:
    """Write down an attempt, now; the first one that reached the customer stops the 72 h.

    `channel` and `outcome` are Contact.Channel and Contact.Outcome. When it took place, as `by`
    says, is kept as `claimed_at` and decides nothing. `also` are other open tasks of the account
    that the same conversation was about: it is logged for each of them, and counts for each.
    Returns the contact of `task`. Raises NotOpen, CannotLog, and ChangedMeanwhile for an outdated
    `version` of `task`.
    """
    if claimed_at and claimed_at > now:
        raise CannotLog("This is still to come. Log it once it has taken place.")
    tasks = open_tasks([task, *also])
    _refuse_stale(next(each for each in tasks if each.pk == task.pk), version)
    _refuse_strangers(tasks)
    conversation = uuid4() if len(tasks) > 1 else None
    logged = {
        each.pk: log(
            each,
            Contact(
                user=by,
                channel=channel,
                outcome=outcome,
                note=note,
                logged_at=now,
                claimed_at=claimed_at,
                conversation=conversation,
            ),
        )
        for each in tasks
    }
    return logged[task.pk]


def _refuse_strangers(tasks: list[OutreachTask]) -> None:
    customers = {task.customer_id for task in tasks}
    accounts = {task.customer.account_id for task in tasks}
    if len(customers) > 1 and (len(accounts) > 1 or None in accounts):
        raise CannotLog("One conversation is about the tasks of one account.")


def log(task: OutreachTask, contact: Contact) -> Contact:
    """Keep an attempt, and all that follows from it. `task` is open, and locked by the caller."""
    contact.task = task
    contact.save(force_insert=True)
    derive(task)
    if contact.reached:
        task.snoozed_until, task.snooze_reason = None, ""
    task.version += 1
    task.save()
    said = {"claimed_at": contact.claimed_at, "proven_at": contact.proven_at}
    AuditEntry.record(
        "contact",
        task,
        contact.logged_at,
        actor=contact.user,
        after={"channel": contact.channel, "outcome": contact.outcome}
        | {name: at.isoformat() for name, at in said.items() if at},
    )
    return contact


def derive(task: OutreachTask) -> None:
    """When the customer was first reached, and first again after a denial: nowhere else is it said.

    Contacts from before the clock began, or began anew, prove nothing about it.
    """
    reached = [contact.counts_from for contact in task.contacts.all() if contact.reached]
    task.first_contact_at = min((at for at in reached if at >= task.started_at), default=None)
    denied_at = task.denied_at
    again = [at for at in reached if denied_at and at > denied_at]
    task.second_contact_at = min(again, default=None)
