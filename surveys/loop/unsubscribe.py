"""Unsubscribe: the customer wants no more of these surveys, or none at all. It counts at once."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max
from django.db.models.functions import Coalesce

from surveys.delivery import doubt
from surveys.models import AuditEntry, Invitation, Suppression

SOONER_THAN_PEOPLE = timedelta(seconds=60)


@transaction.atomic
def unsubscribe(
    invitation: Invitation, now: datetime, *, everything: bool = False, one_click: bool = False
) -> bool:
    """Stop the mails of the invitation's survey family, or `everything`. True if that was news.

    A `one_click` (RFC 8058) within a minute of the mail is perhaps a machine that tries every link.
    It is honoured all the same, and the audit entry says so.
    """
    doubt.link_used(invitation)
    customer, family = invitation.customer, None if everything else invitation.survey.family
    if not customer.email:
        return False
    if not Suppression.add(customer.email, Suppression.Reason.UNSUBSCRIBED, now, family):
        return False
    is_hasty = one_click and _just_sent(invitation, now)
    AuditEntry.record(
        "suppress",
        customer,
        now,
        after={"no more mails of": family.name if family else "any survey"},
        reason="Suspicious: one click within 60 s of the mail, perhaps by a machine. Honoured."
        if is_hasty
        else f"Unsubscribed by {'one click in the mail program' if one_click else 'the form'}.",
    )
    return True


def _just_sent(invitation: Invitation, now: datetime) -> bool:
    accepted = Coalesce("sent_at", "handed_at")
    last = invitation.messages.filter(user=None).aggregate(at=Max(accepted))["at"]
    return last is not None and now - last < SOONER_THAN_PEOPLE
