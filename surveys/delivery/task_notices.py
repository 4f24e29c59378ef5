"""What those who look after tasks receive on the clock: the digest, and what is escalated."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from surveys.delivery.digest import digest_of, morning_of
from surveys.delivery.letter import Letter, about
from surveys.delivery.links import acknowledge_link, admin_link, queue_link
from surveys.delivery.notices import local, notice
from surveys.models import (
    ChatHook,
    Escalation,
    EscalationStep,
    GotBack,
    Message,
    OutreachTask,
    User,
)

LONGEST_DIGEST = 50  # tasks; the queue itself says the rest
OVERDUE = "Overdue"


def escalation(message: Message) -> Letter:
    """To whoever stands in the chain: whom nobody has reached, for how long, and whose task it is.

    Those without a log-in learn all there is to know here, and acknowledge by a link.
    """
    task, one = about(message.task), about(message.escalation)
    reader = message.user or about(message.recipient)
    who = task.customer.account or task.customer
    return notice(
        message,
        f"{_what_is_wrong(one)}: {who}, score {task.response.score}",
        task=task,
        one=one,
        due=local(one.due_at, reader),
        zone=reader.zone,
        link=admin_link(task) if message.user else "",
        seen=acknowledge_link(one, reader),
    )


def _what_is_wrong(one: Escalation) -> str:
    again = " again" if one.after_denial else ""
    if one.waits_for == EscalationStep.Waits.OPENED:
        return f"Not opened{again} for {one.hours} hours"
    if one.is_late:
        return f"Overdue{again}, {one.hours} hours"
    return f"Not reached{again} for {one.hours} hours"


def denied(message: Message) -> Letter:
    """To the owner of a task that was closed, and the lead: the customer has opened it again by
    saying that nobody got back to them, or that it did not help."""
    word = about(message.confirmation)
    task, reader = word.task, message.user or about(message.recipient)
    who = task.customer.account or task.customer
    what = "nobody got back" if word.got_back == GotBack.NO else "it did not help"
    return notice(
        message,
        f"{who}: {what}",
        task=task,
        word=word,
        due=local(about(task.second_due_at), reader),
        zone=reader.zone,
        link=admin_link(task) if message.user else "",
    )


def digest(message: Message) -> Letter:
    """To an account manager, in the morning: whom to call today, overdue first."""
    reader = about(message.user)
    now = message.created_at
    about_each = ("response", "customer__account", "owner")
    tasks = list(digest_of(reader, now).select_related(*about_each)[: LONGEST_DIGEST + 1])
    midnight = morning_of(reader, now) + timedelta(hours=16)
    lines = [_line(task, reader, now, midnight) for task in tasks]
    late = sum(line.when == OVERDUE for line in lines)
    number = f"{len(lines)}" if len(lines) <= LONGEST_DIGEST else f"More than {LONGEST_DIGEST}"
    subject = f"Today: {number} to call" + (f", {late} overdue" if late else "")
    more = len(lines) > LONGEST_DIGEST
    return notice(
        message, subject, lines=lines[:LONGEST_DIGEST], more=more, zone=reader.zone,
        link=queue_link(),
    )  # fmt: skip


def chat_stopped(message: Message) -> Letter:
    """To the administrators: which chat rooms are told no more, and why."""
    hooks = list(ChatHook.objects.exclude(stopped_reason=""))
    subject = "A chat room cannot be told" if hooks else "All chat rooms are told again"
    return notice(message, subject, hooks=[(hook, admin_link(hook)) for hook in hooks])


class Due(NamedTuple):
    """A line of the digest."""

    task: OutreachTask
    due: str
    when: str

    @property
    def link(self) -> str:
        return admin_link(self.task)


def _line(task: OutreachTask, reader: User, now: datetime, midnight: datetime) -> Due:
    until = about(task.waits_until)
    when = OVERDUE if until < now else "Due today" if until < midnight else "New"
    return Due(task, local(until, reader), when)
