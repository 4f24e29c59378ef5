"""What became of a mail after we gave it away, and what follows from that. Each report counts once.

One hard bounce, one spam complaint, or two soft bounces in a row with no delivery between, and the
address is not written to again.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

from django.db import transaction
from django.db.models import F

from surveys.delivery import breaker
from surveys.delivery.outbox import post
from surveys.models import (
    AuditEntry,
    Customer,
    DeliveryEvent,
    Family,
    Invitation,
    Message,
    Suppression,
)

Kind = DeliveryEvent.Kind
State = Message.State
SOFT_BOUNCES_ALLOWED = 1
EVENT_ID_LENGTH = 250
BOUNCES = (Kind.HARD_BOUNCE, Kind.SOFT_BOUNCE)


@transaction.atomic
def record(
    message: Message,
    kind: str,
    *,
    source: str,
    event_id: str,
    detail: str = "",
    to: str = "",
    now: datetime,
) -> bool:
    """Write down what became of `message`, and do what follows. False: it was known already.

    `kind` is one of DeliveryEvent.Kind; `source` ("smtp", "mailbox", a provider) and `event_id`
    name the report: the same two come again only when the same report does. `detail` is for people.
    `to` is the address it went to, if a trustworthy reporter says so; else the customer's present.
    Of a forgotten customer's mail nothing is written down: reports hold addresses.
    """
    if message.invitation and message.invitation.customer.forgotten_at:
        return False
    invitation = message.invitation if message.kind in Message.TO_CUSTOMERS else None
    is_survey = message.kind in Message.NEVER_TWICE
    event, is_new = DeliveryEvent.objects.get_or_create(
        source=source,
        event_id=_short(event_id),
        defaults={
            "kind": kind,
            "message": message,
            "survey": invitation.survey if invitation and is_survey else None,
            "detail": _plain(detail),
            "at": now,
        },
    )
    if is_new:
        _resolve_doubt(message)
    if is_new and invitation:
        _conclude(event, message, invitation, to)
    return is_new


def not_sent(message: Message, why: str) -> bool:
    """The provider took the mail and then did not even try to deliver it."""
    taken = Message.objects.filter(pk=message.pk, state__in=[State.SENT, State.IN_DOUBT])
    return taken.update(state=State.FAILED, last_error=_plain(why)) == 1


def _short(event_id: str) -> str:
    """Any id as 250 characters that can be stored, still one of its own."""
    if len(event_id) <= EVENT_ID_LENGTH and event_id.isprintable():
        return event_id
    return hashlib.sha256(event_id.encode("utf-8", "replace")).hexdigest()


def _plain(text: str) -> str:
    """What a stranger said, as the database can hold it."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "")[:300]


def _resolve_doubt(message: Message) -> None:
    """A mail whose fate we did not know: whoever reports on it has had it."""
    doubtful = Message.objects.filter(
        pk=message.pk, state__in=[State.IN_DOUBT, State.HELD], handed_at__isnull=False
    )
    doubtful.update(state=State.SENT, sent_at=F("handed_at"), last_error="")


def _conclude(event: DeliveryEvent, message: Message, invitation: Invitation, to: str) -> None:
    customer = Customer.objects.select_for_update().get(pk=invitation.customer_id)
    address = to or customer.email or ""
    if event.kind == Kind.DELIVERED:
        _count(customer, 0)
    elif event.kind == Kind.UNSUBSCRIBED:
        _stop(customer, address, Suppression.Reason.UNSUBSCRIBED, event, invitation.survey.family)
    elif event.kind == Kind.COMPLAINT:
        _stop(customer, address, Suppression.Reason.COMPLAINED, event)
    elif event.kind == Kind.HARD_BOUNCE or _too_many(customer, event, message):
        _stop(customer, address, Suppression.Reason.BOUNCED, event)
    if event.kind in BOUNCES:
        _tell_owner(customer, message, invitation, event.at)
    if event.survey:
        breaker.check(event.survey, event.kind, event.at)


def _count(customer: Customer, soft_bounces: int) -> None:
    customer.soft_bounces = soft_bounces
    customer.save(update_fields=["soft_bounces"])


def _too_many(customer: Customer, event: DeliveryEvent, message: Message) -> bool:
    """Count a soft bounce; several reports on one mail are one bounce."""
    earlier = message.events.filter(kind=Kind.SOFT_BOUNCE).exclude(pk=event.pk)
    if not earlier.exists():
        in_a_row = 0 if _arrived_between(customer, message) else customer.soft_bounces
        _count(customer, in_a_row + 1)
    return customer.soft_bounces > SOFT_BOUNCES_ALLOWED


def _arrived_between(customer: Customer, message: Message) -> bool:
    """Whether a mail went out between the last two bounced ones and did not come back. Plain SMTP
    reports no delivery, so that is what a delivery looks like there."""
    mails = Message.objects.filter(invitation__customer=customer, kind__in=Message.NEVER_TWICE)
    bounced = mails.filter(events__kind=Kind.SOFT_BOUNCE).exclude(pk=message.pk)
    last = bounced.order_by("-pk").values_list("pk", flat=True).first()
    if last is None:
        return False
    between = mails.filter(pk__gt=last, pk__lt=message.pk, state=State.SENT)
    return between.exclude(events__kind__in=BOUNCES).exists()


def _stop(
    customer: Customer,
    address: str,
    reason: str,
    event: DeliveryEvent,
    family: Family | None = None,
) -> None:
    # A bounce is about one address; a person's word holds for the one we write to by now, too.
    theirs = {customer.email, address} if reason in Suppression.SAID else {address}
    news = [Suppression.add(each, reason, event.at, family) for each in theirs if each]
    if not any(news):
        return
    AuditEntry.record(
        "suppress",
        customer,
        event.at,
        after={"no more mails of": family.name if family else "any survey"},
        reason=f"{event.get_kind_display()}, reported by {event.source}.",
    )


def _tell_owner(
    customer: Customer, message: Message, invitation: Invitation, now: datetime
) -> None:
    """Of key contacts; and whoever wrote a mail by hand, of any customer."""
    owner, key = customer.account and customer.account.owner, f"contact_bounced:{invitation.pk}"
    if message.kind == Message.Kind.TASK_MAIL:
        owner, key = message.task_mail.user, f"contact_bounced:mail:{message.pk}"
    elif not customer.is_key_contact:
        return
    if owner and owner.is_active:
        post(Message.Kind.CONTACT_BOUNCED, key, now, invitation=invitation, user=owner)
