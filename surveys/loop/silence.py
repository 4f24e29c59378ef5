"""Silence: a key contact was asked and does not answer, so the account's owner is told, once."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import DurationField, Exists, ExpressionWrapper, F, OuterRef

from surveys.delivery.outbox import post_many
from surveys.models import Invitation, Message
from surveys.models.invitations import Invitations

NEWS_FOR = timedelta(days=30)  # so that switching the alert on does not stir up last year


def tell_owners(now: datetime) -> int:
    """Mail each owner whose key contact has been silent for the survey's days; returns how many.

    Once for each invitation. Accounts without an owner are seen in the list of invitations only.
    """
    told = due(now).values_list("pk", "customer__account__owner")
    mails = [_mail(invitation, owner, now) for invitation, owner in told]
    post_many(mails)
    return len(mails)


def due(now: datetime) -> Invitations:
    """The invitations whose silence is news."""
    days = ExpressionWrapper(
        F("survey__silence_alert_days") * timedelta(days=1), output_field=DurationField()
    )
    told = Message.objects.filter(kind=Message.Kind.CONTACT_SILENT, invitation=OuterRef("pk"))
    return (
        Invitation.objects.unanswered()
        .annotate(silent_at=F("sent_at") + days)
        .filter(
            ~Exists(told),
            customer__is_key_contact=True,
            customer__account__owner__is_active=True,
            survey__is_open=True,
            survey__silence_alert_days__gt=0,
            silent_at__lte=now,
            silent_at__gt=now - NEWS_FOR,
        )
    )


def _mail(invitation: int, owner: int | None, now: datetime) -> Message:
    return Message(
        kind=Message.Kind.CONTACT_SILENT,
        dedupe_key=f"silent:{invitation}",
        invitation_id=invitation,
        user_id=owner,
        next_at=now,
        created_at=now,
    )
