"""The digest of the morning: when it comes, and what is in it."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from django.db.models import Q

from surveys.models import Absence, Notices, User
from surveys.models.outreach import OutreachTasks
from surveys.models.urgency import open_tasks

MORNING = time(8)  # of the reader's own clock
DAY = timedelta(days=1)


def morning_of(user: User, now: datetime) -> datetime:
    """8 o'clock of the day that it is where `user` is, in UTC."""
    today = now.astimezone(user.zone).date()
    return datetime.combine(today, MORNING, user.zone).astimezone(UTC)


def digest_of(user: User, now: datetime) -> OutreachTasks:
    """What `user` has to do today, overdue first: what is due by their next midnight, for the first
    time or the second, theirs and of those whom they cover; with what opened since yesterday
    morning, if they hear of that here only.
    """
    today = now.astimezone(user.zone).date()
    soon = Q(deadline__lt=datetime.combine(today + DAY, time.min, user.zone))
    if user.notices == Notices.DIGEST:
        soon |= Q(started_at__gt=morning_of(user, now) - DAY)
    theirs = Q(owner=user) | Q(owner__in=Absence.covered_by(user, now.date()))
    return open_tasks().filter(theirs, soon, Q(deadline__isnull=False)).most_urgent_first()
