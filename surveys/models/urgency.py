"""How urgent open tasks are: one meaning of overdue, and of hours left, for the queue's filter and
for the manager's board."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from django.db.models import Q
from django.utils import timezone

from surveys.models.outreach import OutreachTask, OutreachTasks

SOON, VERY_SOON = timedelta(hours=24), timedelta(hours=4)


def open_tasks() -> OutreachTasks:
    """Each with its `deadline`: the one that runs or has run out; None once the customer has been
    reached and only the closing is left."""
    return OutreachTask.objects.open().with_deadline()


def urgencies(now: datetime) -> dict[str, Q]:
    """Conditions on `open_tasks`. Within 4 h is part of within 24 h; today's are those that fall
    due between now and midnight."""
    left = Q(deadline__gte=now)
    return {
        "overdue": Q(deadline__lt=now),
        "within_4": left & Q(deadline__lt=now + VERY_SOON),
        "within_24": left & Q(deadline__lt=now + SOON),
        "today": left & Q(deadline__lt=midnight(today(now) + timedelta(days=1))),
        "reached": Q(deadline=None),
    }


def today(now: datetime) -> date:
    """By the company's clocks."""
    return now.astimezone(timezone.get_default_timezone()).date()


def midnight(day: date) -> datetime:
    """The first instant of that day by the company's clocks."""
    return datetime.combine(day, time.min, tzinfo=timezone.get_default_timezone())
