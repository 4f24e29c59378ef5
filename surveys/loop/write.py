"""Write: a colleague mails the customer of a task. When the server has taken the mail it is logged
as an attempt; the customer's reply to the task's own address makes a contact of it.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from surveys.delivery.hints import hint
from surveys.delivery.outbox import SEND
from surveys.delivery.wanted import why_not_by_hand
from surveys.loop.reach_out import log, open_task
from surveys.models import AuditEntry, Contact, Message, OutreachTask, TaskMail, User
from surveys.models.task_mails import unfilled

BATCH = 200


class CannotWrite(Exception):
    """Something is missing, or no mail goes to this customer; the message says what."""


@transaction.atomic
def write(
    task: OutreachTask, by: User, subject: str, text: str, now: datetime, version: int | None = None
) -> TaskMail:
    """Queue a mail to the customer, from `by`; what they typed is what is sent.

    It goes out at once, whatever the hours of the survey: it is a person's word. It may come twice,
    with one Message-ID, when a sender dies over it, and is never lost. Raises CannotWrite,
    reach_out.NotOpen, and reach_out.ChangedMeanwhile for an outdated `version`.
    """
    subject, text = subject.strip(), text.strip()
    if not subject or not text:
        raise CannotWrite("A mail needs a subject and a text.")
    if left := unfilled(subject + text):
        raise CannotWrite(f"“{left}” is not filled in. Write what belongs there, or leave it out.")
    fresh = open_task(task, version)
    if why := why_not_by_hand(fresh.customer):
        raise CannotWrite(why)
    fresh.version += 1
    fresh.save(update_fields=["version"])
    mail = TaskMail.objects.create(
        task=fresh,
        message=_promise(fresh, now),
        user=by,
        subject=subject,
        text=text,
        written_at=now,
    )
    AuditEntry.record("write", fresh, now, actor=by)
    hint(SEND)
    return mail


def _promise(task: OutreachTask, now: datetime) -> Message:
    return Message.objects.create(
        kind=Message.Kind.TASK_MAIL,
        dedupe_key=f"task-mail:{task.pk}:{task.version}",
        task=task,
        invitation_id=task.response.invitation_id,
        next_at=now,
        created_at=now,
    )


def log_sent(now: datetime) -> int:
    """Log each mail that a server has taken since the last call; returns how many.

    Also with a task that is closed by now: it was sent all the same.
    """
    sent = TaskMail.objects.filter(contact=None, message__state=Message.State.SENT)
    rows = sent.exclude(task__state=OutreachTask.State.FORGOTTEN).order_by("written_at", "pk")
    return sum(_log(mail, now) for mail in rows.select_related("message")[:BATCH])


@transaction.atomic
def _log(mail: TaskMail, now: datetime) -> bool:
    task = OutreachTask.objects.select_for_update(of=("self",)).get(pk=mail.task_id)
    if not TaskMail.objects.filter(pk=mail.pk, contact=None).exists():
        return False  # another clock was quicker
    attempt = Contact(
        user_id=mail.user_id,
        channel=Contact.Channel.EMAIL,
        outcome=Contact.Outcome.MAIL_SENT,
        logged_at=now,
        proven_at=mail.message.sent_at,
        message_id=mail.message.message_id,
    )
    mail.contact = log(task, attempt)
    mail.save(update_fields=["contact"])
    return True
