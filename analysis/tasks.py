"""Doors for the clock."""

from celery import shared_task
from django.utils import timezone

from surveys.models import Slot

MINUTE = 60  # seconds


@shared_task(soft_time_limit=30 * MINUTE, time_limit=31 * MINUTE)
def learn_themes() -> None:
    """Once a day, whoever asks; a day that was missed is made up for by the next."""
    now = timezone.now()
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if Slot.take("learn themes", day, now):
        from analysis import learn  # loads scikit-learn, which the web process must not

        learn.learn_all(now)
