"""Restore: a backup was put back, and what has gone out since it was made must not go out again."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import transaction

from surveys.loop import happen, remind
from surveys.models import AuditEntry, Message, Wave

State = Message.State
# Also what a pause held back: it may have been resumed, and sent, since.
WAITING = (State.QUEUED, State.SENDING, State.HELD)
WHY = "Held back: the backup of {:%Y-%m-%d %H:%M %Z} was restored; it may have been sent."


@transaction.atomic
def hold_back(end: datetime, now: datetime) -> tuple[int, int]:
    """After a backup that ended at `end` was restored: what waited then may have been sent since.

    So may the reminders and the invitations after events that have fallen due meanwhile: they are
    written now, by `now`. All of it is held back, until a person releases it by
    `deliver.send_again`, or its report comes in. Waves whose planning was under way are paused:
    their later invitations, which the backup does not know, may be out there. Returns how many
    mails and waves.
    """
    why = WHY.format(end)
    waves = _pause_planning(why, now)
    waiting = Message.objects.filter(state__in=_undecided(), created_at__lte=end)
    concerned = list(waiting.select_for_update().values_list("pk", flat=True))
    concerned += _fallen_due(now)
    held = Message.objects.filter(pk__in=concerned)
    return held.update(state=State.HELD, last_error=why), waves


def _undecided() -> tuple[str, ...]:
    """What is in doubt stays so, where a person looks at it; else it may have been repeated."""
    return (*WAITING, State.IN_DOUBT) if settings.RESEND_IN_DOUBT else WAITING


def _pause_planning(why: str, now: datetime) -> int:
    planning = Wave.objects.filter(state=Wave.State.PLANNING)
    waves = list(planning.select_for_update())
    planning.update(state=Wave.State.PAUSED)
    for wave in waves:
        AuditEntry.record("pause", wave, now, reason=why)
    return len(waves)


def _fallen_due(now: datetime) -> list[int]:
    """The mails that the clock would write at its first tick."""
    before = Message.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    remind.remind(now)
    while happen.ask_after_events(now):
        pass
    return list(Message.objects.filter(pk__gt=before).values_list("pk", flat=True))
