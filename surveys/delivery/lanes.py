"""The way to the mail server: paused while it is at fault, and for everybody at once."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from surveys.delivery.outbox import post
from surveys.models import MailLane, Message, Role, User

log = logging.getLogger(__name__)
SMTP = "smtp"
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(minutes=15)
FAULTS_UNTIL_ALARM = 6  # of a server that only asks for less: by then the pause is the longest


def in_trouble() -> MailLane | None:
    """The lane, while it is at fault."""
    return MailLane.objects.filter(name=SMTP, faults__gt=0).first()


def is_paused(now: datetime) -> bool:
    return MailLane.objects.filter(name=SMTP, paused_until__gt=now).exists()


def pause(now: datetime, reason: str, alarm_at_once: bool) -> datetime:
    """Send nothing for 30 s, and twice as long after each further fault in a row, up to 15 min.

    Several senders that meet the same fault count as one. The administrators are told once an
    outage: at its beginning, or when the pauses have become long. Returns when to go on.
    """
    with transaction.atomic():
        MailLane.objects.get_or_create(name=SMTP)
        lane = MailLane.objects.select_for_update().get(name=SMTP)
        if lane.paused_until and lane.paused_until > now:
            return lane.paused_until
        lane.paused_until = now + min(FIRST_PAUSE * 2 ** min(lane.faults, 10), LONGEST_PAUSE)
        lane.faults += 1
        lane.since, lane.reason = lane.since or now, reason[:300]
        lane.save()
        if alarm_at_once or lane.faults >= FAULTS_UNTIL_ALARM:
            _alarm(lane, now)
        until = lane.paused_until
    log.error("mail is paused until %s: %s", until.isoformat(), reason)
    return until


def works() -> bool:
    """The server took a mail: the outage, if there was one, is over."""
    troubled = MailLane.objects.filter(~Q(faults=0), name=SMTP)
    return troubled.update(faults=0, paused_until=None, since=None, reason="") == 1


def _alarm(lane: MailLane, now: datetime) -> None:
    since = lane.since.isoformat() if lane.since else ""
    for user in User.objects.filter(is_active=True, role=Role.ADMINISTRATOR):
        post(Message.Kind.ALARM, f"alarm:lane:{lane.name}:{since}:{user.pk}", now, user=user)
