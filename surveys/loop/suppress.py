"""Suppress: from now on this address is not written to."""

from __future__ import annotations

from datetime import datetime

from surveys.models import Suppression, Survey


def suppress(email: str, reason: str, now: datetime, survey: Survey | None = None) -> bool:
    """Stop one survey's mails to the address, or all without `survey`. True if that was news.

    `reason` is one of Suppression.Reason.
    """
    return Suppression.objects.get_or_create(
        digest=Suppression.hash(email), survey=survey, defaults={"reason": reason, "at": now}
    )[1]
