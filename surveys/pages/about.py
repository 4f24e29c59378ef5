"""Who asks, why, and for how long the answer is kept: what every page that asks says below."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, datetime
from typing import Any

from django.conf import settings

from surveys.delivery.links import privacy_link
from surveys.models import Invitation


def about(answered_at: datetime, invitation: Invitation | None = None) -> dict[str, Any]:
    """For a page's context. `answered_at` is now, before there is an answer; without an
    invitation nobody can be shown what is theirs."""
    return {
        "kept_until": kept_until(answered_at),
        "privacy_url": privacy_link(invitation) if invitation else "",
        "address_days": settings.KEEP_ADDRESS_DAYS,
    }


def kept_until(answered_at: datetime) -> date:
    """The day on which it is forgotten whose answer it was; in a shorter month its last day."""
    months = answered_at.month - 1 + settings.KEEP_ANSWER_MONTHS
    year, month = answered_at.year + months // 12, months % 12 + 1
    return date(year, month, min(answered_at.day, monthrange(year, month)[1]))
