"""Settle: let the mails of waves and surveys that were paused, resumed or stopped follow them."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from surveys.loop import resume, waves
from surveys.models import Survey, Wave

UNSETTLED = {"settled_up_to__isnull": False}


def settle(now: datetime, batches: int = 20) -> int:
    """Go on with those whose mails do not all follow them yet; returns how many invitations were
    looked at. After so many batches other sweeps have their turn."""
    looked_at = 0
    for _ in range(batches):
        done = _next_batch(now)
        if done is None:
            break
        looked_at += done
    return looked_at


@transaction.atomic
def _next_batch(now: datetime) -> int | None:
    """Surveys first: their mails wait for nothing but this. None: all are settled."""
    surveys = Survey.objects.select_for_update(skip_locked=True, of=("self",), no_key=True)
    if survey := surveys.filter(**UNSETTLED).first():
        return resume.settle_batch(survey, now)
    rows = Wave.objects.select_for_update(skip_locked=True, of=("self",), no_key=True)
    if wave := rows.filter(**UNSETTLED).select_related("survey__family").first():
        return waves.settle_batch(wave, now)
    return None
