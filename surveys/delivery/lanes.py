"""The way to the mail server: paused while it is at fault, and for everybody at once. And the way
back, from the mailbox: the administrators are told when it cannot be read."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from surveys.delivery.outbox import post
from surveys.models import MailLane, Message, Role, User

log = logging.getLogger(__name__)
SMTP, MAILBOX = "smtp", "mailbox"
ALARM = "alarm:lane"  # how the key of such a mail begins
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(minutes=15)
FAULTS_UNTIL_ALARM = 6  # of a server that only asks for less: by then the pause is the longest
UNREAD_UNTIL_ALARM = 3  # a mailbox, once a minute: one that is away for a moment alarms nobody


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
        lane = _locked(SMTP)
        if lane.paused_until and lane.paused_until > now:
            return lane.paused_until
        lane.paused_until = now + min(FIRST_PAUSE * 2 ** min(lane.faults, 10), LONGEST_PAUSE)
        _note(lane, now, reason)
        if alarm_at_once or lane.faults >= FAULTS_UNTIL_ALARM:
            _alarm(lane, now)
        until = lane.paused_until
    log.error("mail is paused until %s: %s", until.isoformat(), reason)
    return until


def works() -> bool:
    """The server took a mail: the outage, if there was one, is over."""
    return _is_over(SMTP)


@transaction.atomic
def unread(now: datetime, reason: str) -> None:
    """The mailbox could not be read. At the third time in a row the administrators are told."""
    lane = _locked(MAILBOX)
    _note(lane, now, reason)
    if lane.faults == UNREAD_UNTIL_ALARM:
        _alarm(lane, now)


def is_read() -> bool:
    """The mailbox was read to its end: the outage, if there was one, is over."""
    return _is_over(MAILBOX)


def of_alarm(message: Message) -> str:
    """Which lane it is about: SMTP or MAILBOX."""
    return MAILBOX if message.dedupe_key.startswith(f"{ALARM}:{MAILBOX}:") else SMTP


def _locked(name: str) -> MailLane:
    MailLane.objects.get_or_create(name=name)
    return MailLane.objects.select_for_update().get(name=name)


def _note(lane: MailLane, now: datetime, reason: str) -> None:
    lane.faults += 1
    lane.since, lane.reason = lane.since or now, reason[:300]
    lane.save()


def _is_over(name: str) -> bool:
    troubled = MailLane.objects.filter(~Q(faults=0), name=name)
    return troubled.update(faults=0, paused_until=None, since=None, reason="") == 1


def _alarm(lane: MailLane, now: datetime) -> None:
    since = lane.since.isoformat() if lane.since else ""
    tell_administrators(f"{ALARM}:{lane.name}:{since}", now)


def tell_administrators(key: str, now: datetime) -> None:
    """An alarm to each of them, once for that key."""
    for user in User.objects.filter(is_active=True, role=Role.ADMINISTRATOR):
        post(Message.Kind.ALARM, f"{key}:{user.pk}", now, user=user)
