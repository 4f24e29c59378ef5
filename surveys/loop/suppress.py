"""Suppress: from now on this address is not written to."""

from __future__ import annotations

from datetime import datetime

from surveys.models import Family, Suppression


def suppress(email: str, reason: str, now: datetime, family: Family | None = None) -> bool:
    """Stop one family's mails to the address, or all without `family`. True if that was news.

    `reason` is one of Suppression.Reason.
    """
    return Suppression.add(email, reason, now, family)
