"""Correspond: a mail to a task's own address logs itself. A colleague's is an attempt; a customer's
is a reply, by which they are reached.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import NAMESPACE_URL, uuid5

from django.db import transaction

from surveys.loop.reach_out import log
from surveys.loop.reply import reply
from surveys.models import Contact, InboundMail, OutreachTask, User

Kind, Outcome = InboundMail.Kind, Contact.Outcome


@transaction.atomic
def correspond(
    mail: InboundMail,
    tasks: Sequence[OutreachTask],
    by: User | None,
    owner: User | None,
    *,
    arrived_at: datetime | None = None,
    written_at: datetime | None = None,
) -> bool:
    """Keep `mail` (not yet stored), and log it with those `tasks` that are open, once for each.

    `by` is the colleague who wrote it; None: the customer did. It counts from when it `arrived_at`
    our own server, if that has proved it; what it says itself of when it was `written_at` is kept
    beside. `owner` is told of what a customer wrote. False: all of it was known already.
    """
    is_new = reply(mail, owner)
    rows = OutreachTask.objects.select_for_update(of=("self",)).order_by("pk")
    pks = [task.pk for task in tasks]
    known = Contact.objects.filter(task__in=pks, message_id=mail.message_id)
    logged = 0
    for task in list(rows.filter(pk__in=pks, state=OutreachTask.State.OPEN)):
        if not known.filter(task=task).exists():
            log(task, _contact(mail, task, by, arrived_at, written_at))
            logged += 1
    return is_new or logged > 0


def _contact(
    mail: InboundMail,
    task: OutreachTask,
    by: User | None,
    arrived_at: datetime | None,
    written_at: datetime | None,
) -> Contact:
    now = mail.received_at
    is_proof = arrived_at is not None and task.started_at <= arrived_at <= now
    return Contact(
        user=by,
        channel=Contact.Channel.EMAIL,
        outcome=Outcome.MAIL_SENT if by else Outcome.REPLIED,
        logged_at=now,
        claimed_at=written_at if written_at and written_at <= now else None,
        proven_at=arrived_at if is_proof else None,
        message_id=mail.message_id,
        conversation=uuid5(NAMESPACE_URL, f"mid:{mail.message_id}"),
    )
