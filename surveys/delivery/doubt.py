"""Mails that a server may or may not have taken: evidence settles them, or else a person.

The conversation broke, or the sender died, after the hand-over and before the server's 250.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from surveys.models import DeliveryEvent, Invitation, Message, Response

# A server may take so long to say that it has taken a mail (RFC 5321, 4.5.3.2.6), and we may have
# been cut off at the beginning of it.
WAIT = timedelta(minutes=10)
State = Message.State
AGAIN = "It was in doubt whether it arrived; sent again with the same Message-ID."


def evidence() -> Q:
    """Somebody reported on the mail, or used the link in it: it arrived.

    An answer says nothing about a reminder, as the invitation held the same link.
    """
    reported = DeliveryEvent.objects.filter(message=OuterRef("pk"))
    answered = Response.objects.filter(
        invitation=OuterRef("invitation"), source=Response.Source.INVITED
    )
    return Q(Exists(reported)) | Q(Exists(answered), kind=Message.Kind.INVITATION)


def reconcile(now: datetime) -> int:
    """Settle what can be settled; returns how many.

    What has evidence was sent. With RESEND_IN_DOUBT, what has none after 10 minutes is sent again,
    with its Message-ID and its link; else it stays for a person.
    """
    arrived = _arrived(Message.objects.in_doubt().filter(evidence()))
    return arrived + (send_again(ripe(now), now) if settings.RESEND_IN_DOUBT else 0)


def link_used(invitation: Invitation) -> int:
    """Somebody opted out, or had their data deleted, by a link that only the mail held. Neither
    leaves a row that names the invitation, so it counts at once. Returns how many it settles."""
    mine = {"invitation": invitation, "kind": Message.Kind.INVITATION}
    return _arrived(Message.objects.in_doubt().filter(**mine))


def _arrived(mails: QuerySet[Message]) -> int:
    return mails.update(state=State.SENT, sent_at=F("handed_at"), last_error="")


def ripe(now: datetime) -> QuerySet[Message]:
    """Long enough in doubt that nothing more will be heard from the server."""
    return Message.objects.in_doubt().filter(handed_at__lte=now - WAIT)


def settle(message: Message, arrived: bool, now: datetime) -> bool:
    """The receiving side was asked, and said whether it has the mail. False: no doubt any more."""
    mine = Message.objects.in_doubt().filter(pk=message.pk, lease=message.lease)
    if arrived:
        return _arrived(mine) == 1
    return send_again(mine, now) == 1


def send_again(messages: QuerySet[Message], now: datetime) -> int:
    """Into the queue, as if it had never been tried; returns how many."""
    fresh = {"attempts": 0, "refusals": 0, "handed_at": None, "last_error": AGAIN}
    return messages.update(state=State.QUEUED, next_at=now, **fresh)
