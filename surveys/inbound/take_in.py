"""Take in one mail, whichever way it came: read it, find out what it is about, call one verb."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterable
from datetime import datetime

from django.conf import settings

from surveys.inbound import about
from surveys.inbound.read import Incoming, read
from surveys.loop.bounce import bounce
from surveys.loop.complain import complain
from surveys.loop.correspond import correspond
from surveys.loop.reply import reply
from surveys.models import InboundMail, OutreachTask

log = logging.getLogger(__name__)
PERMANENT = {"hard_bounce": True, "soft_bounce": False}


def take_in(raw: bytes, now: datetime, delivered_to: Iterable[str] = ()) -> bool:
    """`raw` is the mail as it came; `delivered_to` the envelope's recipients, where they are known
    apart from it. True if it was news: each Message-ID counts once."""
    mail = read(raw)
    if delivered_to:
        recipients = [address.lower() for address in delivered_to]
        mail = dataclasses.replace(mail, recipients=[*recipients, *mail.recipients])
    if mail.report is None and (tasks := about.tasks_of(mail)):
        return _about_tasks(mail, tasks, now)
    if InboundMail.objects.filter(message_id=mail.message_id).exists():
        return False
    return _report(mail, now) if mail.report else _letter(mail, now)


def _report(mail: Incoming, now: datetime) -> bool:
    message = about.reported(mail)
    if message is None:
        log.warning("a report that came in is about no mail of ours: %s", mail.message_id)
    row = _row(mail, now)
    if message and message.invitation and message.invitation.customer.forgotten_at:
        message, row.subject, row.text = None, "", ""  # it quotes whom we have forgotten
    if message and message.user is None and message.invitation:
        row.customer, row.invitation = message.invitation.customer, message.invitation
    verdict, detail = mail.report.verdict, mail.report.detail
    if mail.kind == InboundMail.Kind.COMPLAINT:
        return complain(row, message, now, opt_out=verdict == "unsubscribed", detail=detail)
    return bounce(row, message, now, permanent=PERMANENT.get(verdict), detail=detail)


def _letter(mail: Incoming, now: datetime) -> bool:
    row = _row(mail, now)
    row.customer, row.invitation = about.answered(mail)
    return reply(row)


def _about_tasks(mail: Incoming, tasks: list[OutreachTask], now: datetime) -> bool:
    """It came to the secret address of these tasks. Whose mail it is must be proved all the same:
    a colleague knows the address, and could write in the customer's name."""
    colleague, theirs = about.wrote(mail, tasks)
    first = (theirs or tasks)[0]
    row = _row(mail, now)
    row.customer, row.invitation = first.customer, first.response.invitation
    if colleague:
        row.kind = InboundMail.Kind.OURS
    is_proven = mail.proof.is_senders or settings.EMBEDDED
    if not is_proven or mail.kind != InboundMail.Kind.REPLY:
        theirs = []
    times = {"arrived_at": mail.proof.arrived_at, "written_at": mail.proof.written_at}
    return correspond(row, theirs, colleague, first.owner, **times)


def _row(mail: Incoming, now: datetime) -> InboundMail:
    return InboundMail(
        message_id=mail.message_id,
        kind=mail.kind,
        sender=mail.sender,
        subject=mail.subject,
        text=mail.text,
        received_at=now,
    )
