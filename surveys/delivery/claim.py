"""Whose mail is it? Rows are claimed for a while, and only the claim that holds may write them."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F

from surveys.models import Message

LEASE = timedelta(minutes=2)
BACK_OFF = [timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240)]
CLAIMS_WITHOUT_PROGRESS = 5  # after which a row that kills its sender is left alone
State = Message.State


def claim(now: datetime, limit: int) -> list[Message]:
    """Up to `limit` due messages, ours until the lease ends; none of them is anybody else's."""
    with transaction.atomic():
        due = Message.objects.due(now).order_by("next_at").select_for_update(skip_locked=True)
        ids = list(due.values_list("pk", flat=True)[:limit])
        lease = uuid.uuid4()
        Message.objects.filter(pk__in=ids).update(
            state=State.SENDING, lease=lease, lease_until=now + LEASE, attempts=F("attempts") + 1
        )
    about = ("invitation__survey", "invitation__customer", "user", "task__response__survey")
    claimed = Message.objects.filter(lease=lease, state=State.SENDING)
    return list(claimed.select_related(*about, "task__customer__account").order_by("next_at", "pk"))


def message_id(message: Message) -> str:
    """The same for every attempt, so that a repeated notice can be dropped (RFC 5322, 3.6.4)."""
    domain = settings.CONTACT_EMAIL.rpartition("@")[2]
    return f"<voc.{message.pk}.{message.kind}@{domain}>"


def extend(messages: list[Message], now: datetime) -> None:
    ids = [message.pk for message in messages]
    Message.objects.filter(pk__in=ids, state=State.SENDING).update(lease_until=now + LEASE)


def hand_over(message: Message, now: datetime) -> bool:
    """Commit that from now on the server may have the mail. False: the claim was lost."""
    return _write(message, handed_at=now, message_id=message.message_id)


def sent(message: Message, now: datetime) -> bool:
    return _write(message, state=State.SENT, sent_at=now, last_error="")


def failed(message: Message, error: str) -> bool:
    return _write(message, state=State.FAILED, last_error=error[:300])


def cancelled(message: Message, why: str) -> bool:
    return _write(message, state=State.CANCELLED, last_error=why[:300])


def in_doubt(message: Message, error: str) -> bool:
    return _write(message, state=State.IN_DOUBT, last_error=error[:300])


def later(message: Message, now: datetime, error: str) -> bool:
    """Back into the queue, with a growing pause."""
    pause = BACK_OFF[min(message.attempts, len(BACK_OFF)) - 1]
    next_at = now + pause
    return _write(
        message, state=State.QUEUED, next_at=next_at, handed_at=None, last_error=error[:300]
    )


def give_back(message: Message, now: datetime, error: str) -> bool:
    """Back into the queue uncounted: the lane was at fault, not the mail."""
    return _write(
        message,
        state=State.QUEUED,
        attempts=F("attempts") - 1,
        next_at=now + BACK_OFF[0],
        last_error=error[:300],
    )


def free_abandoned(now: datetime) -> int:
    """Deal with the rows of dead senders; returns how many.

    What was certainly not handed over is queued again, or given up as failed after 5 claims. What
    may have been delivered is in doubt when it must never come twice, and queued again otherwise.
    """
    abandoned = Message.objects.abandoned(now)
    handed = abandoned.filter(handed_at__isnull=False)
    doubtful = handed.filter(kind__in=Message.NEVER_TWICE).update(
        state=State.IN_DOUBT, last_error="The sender died while the server had the mail."
    )
    given_up = abandoned.filter(attempts__gte=CLAIMS_WITHOUT_PROGRESS).update(
        state=State.FAILED,
        last_error=f"{CLAIMS_WITHOUT_PROGRESS} senders died over this message.",
    )
    return (
        doubtful
        + given_up
        + abandoned.update(
            state=State.QUEUED, next_at=now, handed_at=None, last_error="Its sender died."
        )
    )


def _write(message: Message, **values: Any) -> bool:
    """Change the row if it is still ours: a sender that slept past its lease changes nothing."""
    mine = Message.objects.filter(pk=message.pk, lease=message.lease, state=State.SENDING)
    return mine.update(**values) == 1
