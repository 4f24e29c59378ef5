"""Why a notice to a colleague is not sent after all: asked when its turn comes, so that nobody is
told of what has moved on, and everybody as they choose."""

from __future__ import annotations

from datetime import datetime

from surveys.delivery.digest import digest_of, morning_of
from surveys.models import Message, Notices, OutreachTask

Kind = Message.Kind


def why_needless(message: Message, now: datetime) -> str:
    """One sentence; empty when the notice should go out."""
    reader = message.user or message.recipient
    if reader is None or not reader.is_active:
        return "The recipient has left."
    rule = RULES.get(Kind(message.kind))
    return rule(message, now) if rule else ""


def _of_a_new_task(message: Message, now: datetime) -> str:
    task, owner = message.task, message.user
    if task is None or owner is None:
        return ""
    if task.owner_id != owner.pk:
        return "The task has another owner by now."
    if task.state != OutreachTask.State.OPEN:
        return "The task is over."
    if owner.notices != Notices.AT_ONCE:
        return f"{owner} wants these mails otherwise: {owner.get_notices_display().lower()}."
    return ""


def _of_an_escalation(message: Message, now: datetime) -> str:
    one = message.escalation
    if one and one.task.state != OutreachTask.State.OPEN:
        return "The task is over."
    return "The customer has been reached." if one and one.was_reached else ""


def _of_the_morning(message: Message, now: datetime) -> str:
    reader = message.user
    if reader is None:
        return ""
    if morning_of(reader, now) != morning_of(reader, message.created_at):
        return "That morning is over."
    return "" if digest_of(reader, message.created_at).exists() else "Nothing is left to tell."


def _of_a_denial(message: Message, now: datetime) -> str:
    task = message.task
    if task and task.state != OutreachTask.State.OPEN:
        return "The task is over."
    return "The customer has been reached." if task and task.was_reached else ""


RULES = {
    Kind.TASK_OPENED: _of_a_new_task,
    Kind.ESCALATION: _of_an_escalation,
    Kind.DENIED: _of_a_denial,
    Kind.DIGEST: _of_the_morning,
}
