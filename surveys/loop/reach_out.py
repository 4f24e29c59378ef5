"""Reach out: take a task, hand it over, and log each attempt to contact the customer."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import F

from surveys.loop.sort import tell_owner
from surveys.models import AuditEntry, Contact, OutreachTask, User


class NotOpen(Exception):
    """The task is closed or withdrawn."""


class ChangedMeanwhile(Exception):
    """Somebody else changed the task since this form was opened."""


def open_task(task: OutreachTask, version: int | None = None) -> OutreachTask:
    """The task, locked for the rest of the transaction.

    Raises NotOpen, and ChangedMeanwhile when `version` is not the current one.
    """
    tasks = OutreachTask.objects.select_for_update(of=("self",))
    fresh = tasks.select_related("customer", "owner").get(pk=task.pk)
    if fresh.state != OutreachTask.State.OPEN:
        raise NotOpen(f"This task is {fresh.get_state_display().lower()} already.{_by_whom(fresh)}")
    if version is not None and fresh.version != version:
        raise ChangedMeanwhile(f"This task was changed since you opened it.{_by_whom(fresh)}")
    return fresh


def _by_whom(task: OutreachTask) -> str:
    last = AuditEntry.objects.filter(noun="outreachtask", noun_id=task.pk).first()
    if last is None or last.actor is None:
        return ""
    return f" Last change: {last.verb} by {last.actor}, {last.at:%Y-%m-%d %H:%M} UTC."


@transaction.atomic
def assign(task: OutreachTask, to: User | None, by: User, now: datetime) -> OutreachTask:
    """Give the task to `to` (or to nobody), who is told by mail. Taking is assigning to oneself.

    Raises NotOpen, and ChangedMeanwhile when it has another owner than `task` shows.
    """
    fresh = open_task(task)
    if fresh.owner_id != task.owner_id:
        raise ChangedMeanwhile(f"This task belongs to {fresh.owner or 'nobody'} by now.")
    before = {"owner": fresh.owner_id}
    fresh.owner, fresh.assigned_at = to, now
    fresh.version += 1
    fresh.save(update_fields=["owner", "assigned_at", "version"])
    AuditEntry.record(
        "assign", fresh, now, actor=by, before=before, after={"owner": fresh.owner_id}
    )
    if to != by:
        tell_owner(fresh, now)
    return fresh


@transaction.atomic
def log_contact(
    task: OutreachTask, by: User, channel: str, outcome: str, note: str, now: datetime
) -> Contact:
    """Write down an attempt, now; the first one that reached the customer stops the 72 h.

    `channel` and `outcome` are Contact.Channel and Contact.Outcome. Raises NotOpen.
    """
    fresh = open_task(task)
    contact = Contact.objects.create(
        task=fresh, user=by, channel=channel, outcome=outcome, note=note, logged_at=now
    )
    if contact.reached and fresh.first_contact_at is None:
        OutreachTask.objects.filter(pk=fresh.pk).update(first_contact_at=now)
    OutreachTask.objects.filter(pk=fresh.pk).update(version=F("version") + 1)
    after = {"channel": channel, "outcome": outcome}
    AuditEntry.record("contact", fresh, now, actor=by, after=after)
    return contact
