"""Suspect: what earlier presses of the same link's buttons say about the next one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from surveys.models import Response, ResponseVersion, Sign

BURST = timedelta(seconds=120)
MANY = 3  # different scores within a burst
TRAPS = {Sign.DECOY, Sign.HIDDEN_FIELD, Sign.HIDDEN_LINK}


def signs_of_history(
    versions: Sequence[ResponseVersion], score: int, seen_at: datetime | None, now: datetime
) -> list[Sign]:
    """Signs of a machine in a press of `score` now, on a page that was opened at `seen_at`.

    `versions` are the presses so far, in their order; a press that was confirmed needs no such
    judgement.
    """
    if not versions:
        return []
    burst = [version for version in versions if now - version.recorded_at <= BURST]
    signs = []
    if burst and TRAPS & set(burst[-1].signs):
        signs.append(Sign.CAUGHT_BEFORE)
    if len({version.score for version in burst} | {score}) >= MANY:
        signs.append(Sign.MANY_SCORES)
    is_unread = seen_at is not None and seen_at < versions[-1].recorded_at
    if is_unread and score != versions[-1].score and all(map(_too_fast, versions)):
        signs.append(Sign.TWO_SCORES)
    return signs


def standing(versions: Sequence[ResponseVersion], now: datetime) -> ResponseVersion | None:
    """What a person had said before the burst that ends now; None: nobody said anything before."""
    before = [
        version
        for version in versions
        if version.verdict == Response.Verdict.PERSON and now - version.recorded_at > BURST
    ]
    return before[-1] if before else None


def _too_fast(version: ResponseVersion) -> bool:
    return Sign.TOO_FAST in version.signs
