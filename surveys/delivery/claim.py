"""Whose mail is it? Rows are claimed for a while, and only the claim that holds may write them."""

from __future__ import annotations

import random
import uuid
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Case, F, Q, Value, When

from surveys.delivery import lanes
from surveys.models import Message, Survey, Wave
from surveys.models.outbox import Messages

LEASE = timedelta(minutes=2)
BACK_OFF = [timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240)]
JITTER = 0.2  # of a pause, so that what failed together does not come back together
CLAIMS_WITHOUT_PROGRESS = 5  # after which a row that kills its sender is left alone
DEATHS_BEFORE_ALONE = 2  # from then on it is claimed alone, and takes no others with it
GIVE_UP = timedelta(days=5)  # for mails without an expiry (RFC 5321, 4.5.4.1)
State = Message.State
DIED_OVER = "alarm:died over"  # how the key of an alarm about such a row begins
DOUBTFUL = Q(handed_at__isnull=False, kind__in=Message.NEVER_TWICE)
DEADLY = Q(attempts__gte=F("refusals") + CLAIMS_WITHOUT_PROGRESS)

# Notices to staff go first: a password link does not wait behind a wave. A row over which senders
# died makes a batch of one.
CLAIM = """
    WITH notices AS (
        SELECT id, 0 AS turn, next_at, attempts, refusals FROM surveys_message
        WHERE state = 'queued' AND NOT (kind IN ('invitation', 'reminder', 'heads_up'))
            AND next_at <= %(now)s
        ORDER BY next_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
    ), asked AS (
        SELECT id, 1 AS turn, next_at, attempts, refusals FROM surveys_message
        WHERE state = 'queued' AND kind IN ('invitation', 'reminder', 'heads_up')
            AND next_at <= %(now)s
        ORDER BY next_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
    ), in_order AS (
        SELECT id, attempts - refusals >= %(alone)s AS alone,
            row_number() OVER (ORDER BY turn, next_at, id) AS place
        FROM (SELECT * FROM notices UNION ALL SELECT * FROM asked) AS due
    ), chosen AS (
        SELECT id FROM in_order
        WHERE place <= %(limit)s AND (place = 1 OR place < (
            SELECT coalesce(min(place), %(limit)s + 1) FROM in_order WHERE alone
        ))
    )
    UPDATE surveys_message SET state = 'sending', lease = %(lease)s, lease_until = %(until)s,
        sender = %(sender)s, attempts = attempts + 1
    FROM chosen WHERE surveys_message.id = chosen.id
"""
DEAD = """
    SELECT sender, pg_try_advisory_xact_lock(sender) FROM (
        SELECT DISTINCT sender FROM surveys_message WHERE state = 'sending' AND sender IS NOT NULL
    ) AS senders
"""


def claim(now: datetime, limit: int, sender: int | None = None) -> list[Message]:
    """Up to `limit` due messages, ours until the lease ends; none of them is anybody else's.

    `sender` is the key of the claimer's Presence: when it dies, its rows are freed at once.
    """
    lease = uuid.uuid4()
    with connection.cursor() as cursor:
        cursor.execute(
            CLAIM,
            {
                "now": now,
                "limit": limit,
                "alone": DEATHS_BEFORE_ALONE,
                "lease": lease,
                "until": now + LEASE,
                "sender": sender,
            },
        )
        if not cursor.rowcount:
            return []
    claimed = Message.objects.filter(lease=lease, state=State.SENDING)
    return list(_with_all_they_are_about(claimed).order_by("next_at", "pk"))


def again(message: Message) -> Message | None:
    """The row as it stands now; None when it is not ours any more."""
    ours = Message.objects.filter(pk=message.pk, lease=message.lease, state=State.SENDING)
    return _with_all_they_are_about(ours).first()


def _with_all_they_are_about(rows: Messages) -> Messages:
    """In as few queries as there are kinds of rows; the surveys' words are shared by all."""
    about = ("invitation__customer__account__owner", "invitation__wave", "user", "survey__brand")
    rows = rows.select_related(*about, "task__response__survey", "task__customer__account")
    rows = rows.select_related("escalation", "recipient", "task__owner", "confirmation")
    shared = ("invitation__survey__wordings", "invitation__survey__brand", "reminder__texts")
    return rows.prefetch_related(*shared)


def message_id(message: Message) -> str:
    """The same for every attempt, so that a repeated notice can be dropped (RFC 5322, 3.6.4)."""
    domain = settings.CONTACT_EMAIL.rpartition("@")[2]
    return f"<voc.{message.pk}.{message.kind}@{domain}>"


def extend(sender: int, now: datetime) -> int:
    """A living sender keeps what it has claimed."""
    mine = Message.objects.filter(state=State.SENDING, sender=sender)
    return mine.update(lease_until=now + LEASE)


def sent(message: Message) -> bool:
    """The server took it at `message.sent_at`; true even if others thought that we were dead."""
    ours = Message.objects.filter(pk=message.pk, lease=message.lease)
    taken = ours.filter(state__in=[State.SENDING, State.IN_DOUBT])
    values = {"sent_at": message.sent_at, "provider_id": message.provider_id}
    return taken.update(state=State.SENT, last_error="", **values) == 1


def failed(message: Message, error: str) -> bool:
    return _write(message, state=State.FAILED, last_error=error[:300])


def unwanted(message: Message, state: str, why: str) -> bool:
    """Not to be sent after all: CANCELLED, or HELD for as long as its survey or wave is paused."""
    with transaction.atomic():
        if state == State.HELD and not _is_paused(message):  # any more: its resume has passed by
            return give_back([message], "Its survey or wave was resumed.") == 1
        return _write(message, state=state, last_error=why[:300])


def _is_paused(message: Message) -> bool:
    """Survey or wave, as they stand now; neither can be resumed until the transaction ends."""
    asked = message.invitation
    survey = _kept(Survey, asked.survey_id if asked else None)
    wave = _kept(Wave, asked.wave_id if asked else None)
    return any([survey and survey.paused_reason, wave and wave.state == Wave.State.PAUSED])


def _kept(noun: type[Survey] | type[Wave], pk: int | None) -> Any:
    return noun.objects.select_for_update(no_key=True).filter(pk=pk).first() if pk else None


def in_doubt(message: Message, error: str) -> bool:
    return _write(message, state=State.IN_DOUBT, last_error=error[:300])


def later(message: Message, now: datetime, error: str) -> bool:
    """Back into the queue with a growing pause, until the time for trying is over."""
    pause = BACK_OFF[min(message.refusals, len(BACK_OFF) - 1)]
    next_at = now + pause * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - no secret
    if next_at >= tried_until(message):
        return failed(message, f"Given up at the end of its time: {error}")
    return _write(
        message,
        state=State.QUEUED,
        next_at=next_at,
        handed_at=None,
        refusals=F("refusals") + 1,
        last_error=error[:300],
    )


def wait(message: Message, until: datetime, why: str) -> bool:
    """Back into the queue uncounted: its customer may not be written to now."""
    return _write(
        message, state=State.QUEUED, next_at=until, attempts=F("attempts") - 1, last_error=why
    )


def tried_until(message: Message) -> datetime:
    if message.kind in Message.OF_A_SURVEY and message.invitation:
        return message.invitation.expires_at
    return message.created_at + GIVE_UP


def give_back(messages: list[Message], error: str) -> int:
    """Back into the queue uncounted: the lane was at fault, or we have to leave."""
    ours = Message.objects.filter(pk__in=[message.pk for message in messages], handed_at=None)
    ours = ours.filter(lease__in={message.lease for message in messages}, state=State.SENDING)
    return ours.update(state=State.QUEUED, attempts=F("attempts") - 1, last_error=error[:300])


def free_abandoned(now: datetime) -> int:
    """Deal with the rows of dead senders; returns how many.

    A sender is dead when the lock of its Presence can be taken, or when its lease has run out.
    What was certainly not handed over is queued again, or given up as failed after 5 claims. What
    may have been delivered is in doubt when it must never come twice, and queued again otherwise.
    They are locked first, because a sender that is only half dead may hand a mail over meanwhile.
    The administrators are told of what was given up.
    """
    with transaction.atomic():
        abandoned = Message.objects.filter(
            Q(lease_until__lt=now) | Q(sender__in=_dead_senders()), state=State.SENDING
        )
        locked = list(abandoned.order_by("pk").select_for_update(no_key=True))
        if not locked:
            return 0
        ours = Message.objects.filter(pk__in=[message.pk for message in locked])
        given_up = list(ours.filter(DEADLY).exclude(DOUBTFUL).exclude(kind=Message.Kind.ALARM))
        ours.update(
            state=_case((DOUBTFUL, State.IN_DOUBT), (DEADLY, State.FAILED), State.QUEUED),
            last_error=_case(
                (DOUBTFUL, "The sender died while the server had the mail."),
                (DEADLY, f"{CLAIMS_WITHOUT_PROGRESS} senders died over this message."),
                "Its sender died.",
            ),
            handed_at=Case(When(DOUBTFUL, then=F("handed_at"))),
        )
        for message in given_up:
            lanes.tell_administrators(f"{DIED_OVER}:{message.pk}:{message.lease}", now)
    return len(locked)


def died_over(alarm: Message) -> int | None:
    """The primary key of the mail that was given up, if that is what an alarm is about."""
    if not alarm.dedupe_key.startswith(f"{DIED_OVER}:"):
        return None
    return int(alarm.dedupe_key.split(":")[2])


def _dead_senders() -> list[int]:
    """Those whose lock is free; it is ours until the transaction ends, so that one reaper acts."""
    with connection.cursor() as cursor:
        cursor.execute(DEAD)
        return [sender for sender, is_dead in cursor.fetchall() if is_dead]


def _case(first: tuple[Q, str], second: tuple[Q, str], otherwise: str) -> Case:
    whens = [When(condition, then=Value(str(value))) for condition, value in (first, second)]
    return Case(*whens, default=Value(str(otherwise)))


def _write(message: Message, **values: Any) -> bool:
    """Change the row if it is still ours: a sender that slept past its lease changes nothing."""
    mine = Message.objects.filter(pk=message.pk, lease=message.lease, state=State.SENDING)
    return mine.update(**values) == 1
