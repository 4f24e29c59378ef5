"""Deliver: what a person decides about a mail that could not decide itself."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F

from surveys.delivery.hints import hint
from surveys.delivery.outbox import SEND
from surveys.models import AuditEntry, Message, User

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
