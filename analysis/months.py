"""Calendar months in the company's own time zone (settings.TIME_ZONE), the cohorts of reports."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime

from django.db.models.functions import TruncMonth
from django.utils import timezone

_WRITTEN = re.compile(r"(2[0-9]{3})-(0[1-9]|1[0-2])")


@dataclass(frozen=True, order=True)
class Month:
    year: int
    number: int  # 1-12

    @classmethod
    def of(cls, moment: datetime) -> Month:
        """The month in which an aware moment lies, by the company's clocks."""
        local = moment.astimezone(timezone.get_default_timezone())
        return cls(local.year, local.month)

    @classmethod
    def parse(cls, text: str) -> Month:
        """From "2026-03". Raises ValueError for anything else, also before 2000."""
        written = _WRITTEN.fullmatch(text)
        if not written:
            raise ValueError(f"“{text[:20]}” is not a month: write it as 2026-03.")
        return cls(int(written[1]), int(written[2]))

    def __str__(self) -> str:
        return f"{self.year:04}-{self.number:02}"

    def plus(self, months: int) -> Month:
        years, number = divmod(self.year * 12 + self.number - 1 + months, 12)
        return Month(years, number + 1)

    def last(self, count: int) -> list[Month]:
        """`count` months in a row, this one at the end."""
        return [self.plus(-back) for back in reversed(range(count))]

    @property
    def first_day(self) -> date:
        return date(self.year, self.number, 1)

    @property
    def start(self) -> datetime:
        """The first instant, in UTC."""
        zone = timezone.get_default_timezone()
        return datetime(self.year, self.number, 1, tzinfo=zone).astimezone(UTC)

    @property
    def end(self) -> datetime:
        """The first instant of the next month, in UTC: not part of this one."""
        return self.plus(1).start


def within(field: str, months: Iterable[Month]) -> dict[str, datetime]:
    """Filter arguments that keep the rows whose `field` lies in a row of months."""
    months = list(months)
    return {f"{field}__gte": min(months).start, f"{field}__lt": max(months).end}


def month_of(field: str) -> TruncMonth:
    """The month of `field` as PostgreSQL reckons it, to group by."""
    return TruncMonth(field, tzinfo=timezone.get_default_timezone())
