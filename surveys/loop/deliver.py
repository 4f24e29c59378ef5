"""Deliver: what a person decides about a mail that could not decide itself."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F

from surveys.delivery.hints import hint
from surveys.delivery.outbox import SEND
from surveys.models import AuditEntry, Message, User, Wave

State = Message.State
UNDECIDED = (State.IN_DOUBT, State.HELD, State.FAILED)
AFRESH: dict[str, Any] = {"attempts": 0, "refusals": 0, "handed_at": None, "sent_at": None}


class NotForYou(Exception):
    """The mail has moved on; there is nothing to decide any more. The message says where it is."""


def arrived(message: Message, by: User | None, now: datetime) -> None:
    """We know that it reached the customer. Raises NotForYou unless it is in doubt."""
    sent_at = F("handed_at")
    _decide("it arrived", message, by, now, [State.IN_DOUBT], state=State.SENT, sent_at=sent_at)


def send_again(message: Message, by: User | None, now: datetime) -> None:
    """Send it, with the Message-ID and the link that it had before.

    For what is in doubt, failed, or held back. Raises NotForYou for any other.
    """
    _decide("send again", message, by, now, UNDECIDED, state=State.QUEUED, next_at=now, **AFRESH)
    hint(SEND)


def give_up(message: Message, by: User | None, now: datetime) -> None:
    """Never send it. For what is in doubt or held back. Raises NotForYou for any other."""
    open_states = [State.IN_DOUBT, State.HELD]
    _decide("give up", message, by, now, open_states, state=State.CANCELLED)


@transaction.atomic
def hold_restored(end: datetime, now: datetime) -> tuple[int, int]:
    """After a backup that ended at `end` was restored: what waited then may have been sent since.

    Every waiting mail from before is held back, until a person releases it by `send_again`, or its
    report comes in. Waves whose planning was under way are paused: their later invitations, which
    the backup does not know, may be out there. Returns how many mails and waves.
    """
    waiting = Message.objects.filter(
        state__in=[State.QUEUED, State.SENDING], created_at__lte=end
    ).select_for_update()
    why = f"Held back: the backup of {end:%Y-%m-%d %H:%M %Z} was restored; it may have been sent."
    pks = list(waiting.values_list("pk", flat=True))
    held = Message.objects.filter(pk__in=pks).update(state=State.HELD, last_error=why)
    planning = Wave.objects.filter(state=Wave.State.PLANNING)
    waves = list(planning.select_for_update())
    planning.update(state=Wave.State.PAUSED)
    for wave in waves:
        AuditEntry.record("pause", wave, now, reason=why)
    return held, len(waves)


@transaction.atomic
def _decide(
    verb: str, message: Message, by: User | None, now: datetime, states: Any, **values: Any
) -> None:
    row = Message.objects.select_for_update().get(pk=message.pk)
    if row.state not in states:
        raise NotForYou(f"This mail is {row.get_state_display().lower()} by now.")
    said = f"{by or 'The clock'} decided: {verb}."
    Message.objects.filter(pk=row.pk).update(last_error=said[:300], **values)
    AuditEntry.record(
        verb, row, now, actor=by, before={"state": row.state}, after={"state": values["state"]}
    )
