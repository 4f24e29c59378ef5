"""An event of a mail provider, in our own words: which of our mails it is about, and what it means.

`anymail.signals` names the types of events and reasons that all providers are translated to.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from anymail.signals import AnymailTrackingEvent, EventType, RejectReason
from django.conf import settings

from surveys.delivery import outcomes
from surveys.inbound.about import OURS, messages
from surveys.inbound.body import clean
from surveys.inbound.reports import STATUS, verdict_of
from surveys.models import DeliveryEvent, Message

log = logging.getLogger(__name__)
Kind = DeliveryEvent.Kind
TYPES = {
    EventType.DELIVERED: Kind.DELIVERED,
    EventType.COMPLAINED: Kind.COMPLAINT,
    EventType.UNSUBSCRIBED: Kind.UNSUBSCRIBED,
}
# Not even tried, because of what the recipient did before.
REJECTED_FOR = {
    RejectReason.BOUNCED: Kind.HARD_BOUNCE,
    RejectReason.INVALID: Kind.HARD_BOUNCE,
    RejectReason.TIMED_OUT: Kind.SOFT_BOUNCE,
    RejectReason.SPAM: Kind.COMPLAINT,
    RejectReason.UNSUBSCRIBED: Kind.UNSUBSCRIBED,
}
# How the providers name a bounce that says nothing final of the address.
SOFT = {"softbounce", "softbounced", "activitysoftbounced", "transient", "blocked", "undetermined"}


def report(event: AnymailTrackingEvent, now: datetime) -> None:
    """Record what the provider says; what is about no mail of ours, or changes nothing, is left."""
    message = _message(event)
    if message is None:
        log.warning("%s reports on a mail that is not ours", settings.MAIL_PROVIDER)
        return
    said = event.mta_response or event.description or ""
    if kind := kind_of(event):
        outcomes.record(
            message,
            kind,
            source=settings.MAIL_PROVIDER,
            event_id=_name(event),
            detail=said,
            to=clean(event.recipient or "").lower(),
            now=now,
        )
    elif event.event_type in (EventType.REJECTED, EventType.FAILED):
        outcomes.not_sent(message, f"{settings.MAIL_PROVIDER} did not send it: {said}")


def kind_of(event: AnymailTrackingEvent) -> str:
    """One of DeliveryEvent.Kind; empty for what changes nothing, such as a delay."""
    if event.event_type == EventType.BOUNCED:
        return _bounce(event)
    if event.event_type == EventType.REJECTED:
        return REJECTED_FOR.get(event.reject_reason, "")
    return TYPES.get(event.event_type, "")


def _bounce(event: AnymailTrackingEvent) -> str:
    if SOFT & set(_words(event.esp_event)):
        return Kind.SOFT_BOUNCE
    if status := STATUS.search(event.mta_response or ""):
        return verdict_of("failed", status[0])
    final = event.reject_reason in (RejectReason.BOUNCED, RejectReason.INVALID)
    return Kind.HARD_BOUNCE if final else Kind.SOFT_BOUNCE


def _words(said: Any) -> Iterator[str]:
    """The short texts in what the provider sent, as bare letters: “Soft bounce” is softbounce."""
    if isinstance(said, dict):
        for value in said.values():
            yield from _words(value)
    elif isinstance(said, str) and len(said) < 40:
        yield "".join(filter(str.isalpha, said.lower()))


def _message(event: AnymailTrackingEvent) -> Message | None:
    """By the name that we gave with it, which the provider gives back; else by its own name."""
    named = OURS.fullmatch(clean(f"<{(event.metadata or {}).get('voc', '')}>"))
    if named and (message := messages().filter(pk=named[1], message_id=named[0]).first()):
        return message
    provider_id = clean(str(event.message_id or ""))
    return messages().filter(provider_id=provider_id).first() if provider_id else None


def _name(event: AnymailTrackingEvent) -> str:
    """The same for each repetition of this event, and for no other."""
    own = event.event_id or f"{event.message_id}:{event.recipient}:{event.timestamp}"
    return f"{event.event_type}:{own}"
