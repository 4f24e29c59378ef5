"""In which order open tasks are worked: high value first, but never before what is nearly too late.

Overdue tasks and those with under 4 h left come first, by their deadline. Then day by day: of one
day those of the more valuable accounts, then by deadline. Whoever has been reached comes last.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from itertools import pairwise

from django.conf import settings
from django.db.models import Case, Count, IntegerField, Q, When

from surveys.models.outreach import OutreachTask, OutreachTasks
from surveys.models.urgency import VERY_SOON

RENEWS_SOON = timedelta(days=90)
DAYS = 4  # calendar days that 72 hours can touch
BY_DEADLINE = ("deadline", "due_at", "pk")  # NULL, once the customer has been reached, comes last


@dataclass(frozen=True)
class Part:
    """Tasks that follow each other in the order: all whose deadline is under one rule.

    As the rules are ranges, a page of a part is read from an index, or sorts the tasks of one day.
    """

    rule: Q
    is_by_value: bool = False


def parts(now: datetime, zone: tzinfo) -> list[Part]:
    """The order, cut where it changes. Days are those of `zone`, the reader's."""
    soon, today = now + VERY_SOON, now.astimezone(zone).date()
    nights = [midnight(today + timedelta(days=n), zone) for n in range(1, DAYS)]
    starts = [soon, *(max(soon, night) for night in nights)]
    days = [Q(deadline__gte=start, deadline__lt=end) for start, end in pairwise(starts)]
    days.append(Q(deadline__gte=starts[-1]))
    return [Part(Q(deadline__lt=soon)), *(Part(day, True) for day in days), Part(Q(deadline=None))]


def midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time.min, tzinfo=zone)


def value_band(today: date) -> Case:
    """Of a task's account, as a number: 0 high revenue and its contract renews within 90 days, 1
    high revenue, 2 renews soon, 3 all others. High: settings.HIGH_REVENUE a year and more."""
    high = Q(customer__account__revenue__gte=settings.HIGH_REVENUE)
    soon = Q(customer__account__renews_on__range=(today, today + RENEWS_SOON))
    whens = [When(high & soon, then=0), When(high, then=1), When(soon, then=2)]
    return Case(*whens, default=3, output_field=IntegerField())


def in_order(rows: OutreachTasks, now: datetime, zone: tzinfo) -> OutreachTasks:
    """All of `rows`, which have their `deadline`. It sorts them, so let them be few."""
    cut = list(enumerate(parts(now, zone)))
    part = Case(*(When(each.rule, then=n) for n, each in cut), output_field=IntegerField())
    by_value = [n for n, each in cut if each.is_by_value]
    band = Case(When(part__in=by_value, then=value_band(now.astimezone(zone).date())), default=0)
    return rows.annotate(part=part, band=band).order_by("part", "band", *BY_DEADLINE)


class CallOrder:
    """The same order for many rows: counts once, and reads only what is asked for."""

    def __init__(self, rows: OutreachTasks, now: datetime, zone: tzinfo):
        self.rows, self.parts = rows, parts(now, zone)
        self.band = value_band(now.astimezone(zone).date())
        counts = {f"n{i}": Count("pk", filter=part.rule) for i, part in enumerate(self.parts)}
        self.sizes = list(rows.order_by().aggregate(**counts).values())

    def __len__(self) -> int:
        return sum(self.sizes)

    def __getitem__(self, asked: slice) -> list[OutreachTask]:
        """A query for each part that the slice touches: one, seldom two."""
        found: list[OutreachTask] = []
        start, stop, _ = asked.indices(len(self))
        for part, size in zip(self.parts, self.sizes, strict=True):
            if start < size and stop > 0:
                found += self._in(part)[max(start, 0) : min(stop, size)]
            start, stop = start - size, stop - size
        return found

    def _in(self, part: Part) -> OutreachTasks:
        by_value = [self.band] if part.is_by_value else []
        return self.rows.filter(part.rule).order_by(*by_value, *BY_DEADLINE)
