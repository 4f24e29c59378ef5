"""Doors for the clock."""

from datetime import datetime, timedelta

from celery import shared_task
from django.utils import timezone

from analysis import fold
from analysis.rollups import FOLDED, Stale
from surveys.models import Slot, Tick

MINUTE = 60  # seconds
NIGHT = timedelta(hours=3)  # UTC


@shared_task(soft_time_limit=10 * MINUTE, time_limit=11 * MINUTE)
def fold_rollups() -> int:
    """Count anew what has changed; when all of it is counted, note how new the reports are."""
    now = timezone.now()
    done = fold.fold_all()
    if not Stale.objects.exists():
        Tick.objects.update_or_create(name=FOLDED, defaults={"at": now})
    return done


@shared_task(soft_time_limit=30 * MINUTE, time_limit=31 * MINUTE)
def learn_themes() -> None:
    """Once a day, for the first who asks; so a night that was missed is made up for in the day."""
    now = timezone.now()
    if Slot.take("learn themes", night_of(now), now):
        from analysis import learn  # loads scikit-learn, which the web process must not

        learn.learn_all(now)


def night_of(now: datetime) -> datetime:
    """The slot that `now` falls into: from one night to the next."""
    return (now - NIGHT).replace(hour=0, minute=0, second=0, microsecond=0)
