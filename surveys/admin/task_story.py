"""What the page of a task tells: its deadlines, the next step, and the customer's history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Prefetch
from django.utils import timezone, translation
from django.utils.formats import date_format

from surveys.admin import looks
from surveys.models import (
    Customer,
    DeliveryEvent,
    InboundMail,
    Message,
    OutreachTask,
    Response,
    TaskMail,
    User,
)

EARLIER_ANSWERS, EARLIER_TASKS, LATEST_LETTERS, SIBLINGS = 10, 10, 8, 20
State = OutreachTask.State
BOUNCES = (DeliveryEvent.Kind.HARD_BOUNCE, DeliveryEvent.Kind.SOFT_BOUNCE)


@dataclass(frozen=True)
class Deadline:
    """One of a task's two, with what became of it."""

    name: str
    at: datetime
    tone: str
    words: str


def deadlines(task: OutreachTask, now: datetime) -> list[Deadline]:
    """The 72 hours, and after a customer's no 24 hours more; the first verdict stays."""
    first = _verdict(task, task.started_at, task.due_at, task.first_contact_at, now)
    found = [Deadline("72 hours", task.due_at, *first)]
    if task.denied_at and task.second_due_at:
        second = _verdict(task, task.denied_at, task.second_due_at, task.second_contact_at, now)
        found.append(Deadline("24 hours after their no", task.second_due_at, *second))
    return found


def _verdict(
    task: OutreachTask, began: datetime, due: datetime, reached: datetime | None, now: datetime
) -> tuple[str, str]:
    if reached:
        took = looks.span(reached - began)
        return ("green", f"reached after {took}") if reached < due else ("red", f"late: {took}")
    if due <= now:
        return "red", f"missed, {looks.span(now - due)} ago"
    if task.state != State.OPEN:
        return "grey", "not reached"
    left = due - now
    return ("amber" if left < looks.SOON else "green"), f"{looks.span(left)} left"


def next_step(task: OutreachTask, contacts: list, now: datetime) -> str:
    """One sentence: what moves this task on."""
    if task.state == State.FORGOTTEN:
        return "Nothing: the customer was forgotten."
    if task.state != State.OPEN:
        return f"Nothing: this task is {task.get_state_display().lower()}."
    if task.owner_id is None:
        return "Take the task or give it to somebody, so that one person feels responsible."
    if task.was_reached:
        return "The customer has been reached. Close with the root cause and the action taken."
    if task.denied_at:
        return _after_denial(task, now)
    if task.is_overdue(now):
        return "The 72 hours are over. Reach the customer now: late is better than never."
    if contacts:
        tried = f"{len(contacts)} attempt{'s' if len(contacts) > 1 else ''} so far"
        return f"{tried}, nobody reached yet. Try another channel or another time of day."
    return f"Reach the customer: {_how(task.customer)}. Then log the contact here."


def _after_denial(task: OutreachTask, now: datetime) -> str:
    if task.second_due_at and task.second_due_at <= now:
        return f"The second deadline is over as well. Now: {_how(task.customer)}."
    return (
        f"It was closed, and the customer says it is not over. Begin anew: {_how(task.customer)}."
    )


def _how(customer: Customer) -> str:
    channels = [("call", customer.phone), ("write to", customer.email)]
    found = (f"{verb} {value}" for verb, value in channels if value)
    return next(found, "find a way to reach them")


@dataclass(frozen=True)
class Letter:
    """A mail from or to the customer."""

    at: datetime
    who: str
    subject: str
    text: str
    tone: str = ""
    state: str = ""


def letters(customer: Customer) -> list[Letter]:
    """The latest mails in both directions, but for those of surveys; the newest first."""
    kinds = [InboundMail.Kind.REPLY, InboundMail.Kind.AUTO_REPLY, InboundMail.Kind.OURS]
    came = customer.mails.filter(kind__in=kinds).order_by("-received_at")[:LATEST_LETTERS]
    bounces = Prefetch("message__events", DeliveryEvent.objects.filter(kind__in=BOUNCES), "bounces")
    went = TaskMail.objects.filter(task__customer=customer).exclude(text="")
    went = went.select_related("user", "message").prefetch_related(bounces)[:LATEST_LETTERS]
    both = [*map(_from_them, came), *map(_from_us, went)]
    return sorted(both, key=lambda letter: letter.at, reverse=True)[:LATEST_LETTERS]


def _from_them(mail: InboundMail) -> Letter:
    automatic = mail.kind == InboundMail.Kind.AUTO_REPLY
    state = ("grey", mail.get_kind_display()) if automatic else ("", "")
    return Letter(mail.received_at, mail.sender, mail.subject, mail.text, *state)


def _from_us(mail: TaskMail) -> Letter:
    who = str(mail.user or "a former colleague")
    return Letter(mail.written_at, who, mail.subject, mail.text, *_fate(mail.message))


def _fate(message: Message) -> tuple[str, str]:
    if message.bounces:
        return "red", "Came back"
    if message.state == Message.State.SENT:
        return "green", "Sent"
    if message.state in (Message.State.FAILED, Message.State.CANCELLED):
        return "red", f"Not sent. {message.last_error}"
    return "amber", "Waits to be sent"


def earlier_answers(task: OutreachTask) -> list[Response]:
    answers = Response.objects.filter(customer=task.customer_id).exclude(pk=task.response_id)
    return list(answers.select_related("survey").order_by("-answered_at")[:EARLIER_ANSWERS])


def earlier_tasks(task: OutreachTask, user: User) -> list[OutreachTask]:
    """Of the same customer, those that are over."""
    tasks = OutreachTask.objects.visible_to(user).filter(customer=task.customer_id)
    tasks = tasks.exclude(pk=task.pk).exclude(state=State.OPEN)
    about = ("response", "owner", "root_cause__parent")
    return list(tasks.select_related(*about).order_by("-started_at")[:EARLIER_TASKS])


def siblings(task: OutreachTask, user: User) -> list[OutreachTask]:
    """Other open tasks of the account, or of a customer without one."""
    tasks = OutreachTask.objects.visible_to(user).open().exclude(pk=task.pk)
    account = task.customer.account_id
    same = {"customer__account": account} if account else {"customer": task.customer_id}
    tasks = tasks.filter(**same).select_related("customer", "response", "owner")
    return list(tasks.most_urgent_first()[:SIBLINGS])


def asked_at(task: OutreachTask) -> datetime | None:
    """When the customer will be asked whether it helped; None: they are not, or have been."""
    if task.state != State.CLOSED or task.closed_at is None or not task.customer.email:
        return None
    if task.response.invitation_id is None or not task.closings:
        return None
    if task.confirmations.filter(number=task.closings).exists():
        return None
    return task.closed_at + timedelta(hours=settings.CONFIRM_AFTER_HOURS)


def placeholders(task: OutreachTask, writer: User, language: str) -> dict[str, str]:
    """What a template's placeholders stand for, the date as that language writes it."""
    with translation.override(language):
        answered = date_format(timezone.localtime(task.response.answered_at), "DATE_FORMAT")
    return {
        "name": task.customer.name,
        "company": settings.COMPANY,
        "product": task.response.product or settings.COMPANY,
        "answered": answered,
        "sender": writer.name or writer.email,
    }
