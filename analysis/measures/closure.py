"""The one figure management steers by: detractors personally contacted within 72 hours.

A detractor enters the rate once its 72 hours have elapsed, contacted or not, and is a hit only if
the first personal contact came in time. Before that it is shown apart, contacted or not, so that
quick successes cannot outrun the misses of the same days. The groups, each task in exactly one:

| group | condition, the first that holds |
|---|---|
| withdrawn | the task was withdrawn (a corrected score, a machine's answer) |
| not_yet_due_contacted, not_yet_due_open | due_at > now, with or without a contact |
| contacted_in_time | first_contact_at < due_at |
| late | first_contact_at >= due_at |
| overdue | no contact yet |

A contact at exactly due_at is late: the deadline has passed by then, and doubt never flatters.
Attempts (left message, no answer, wrong person, unanswered mail) are no contact.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import ClassVar

from analysis.measures.intervals import Interval, check_counts, wilson


@dataclass(frozen=True)
class Clock:
    """The times of one outreach task, all aware; `due_at` is `started_at` plus 72 elapsed hours."""

    started_at: datetime
    due_at: datetime
    first_contact_at: datetime | None = None
    withdrawn: bool = False

    def __post_init__(self) -> None:
        if self.due_at < self.started_at:
            raise ValueError(f"due at {self.due_at}, before the start at {self.started_at}")


@dataclass(frozen=True)
class Closure:
    """Counts of one cohort of detractors, from `closure` or straight from a GROUP BY."""

    contacted_in_time: int = 0
    late: int = 0
    overdue: int = 0
    not_yet_due_contacted: int = 0
    not_yet_due_open: int = 0
    withdrawn: int = 0

    goal: ClassVar[float] = 0.95
    percent_from_n: ClassVar[int] = 10

    def __post_init__(self) -> None:
        check_counts(**asdict(self))

    def __add__(self, other: Closure) -> Closure:
        """Of both cohorts."""
        mine, theirs = asdict(self), asdict(other)
        return Closure(**{name: n + theirs[name] for name, n in mine.items()})

    @property
    def n(self) -> int:
        """Tasks in the rate: 72 hours elapsed and not withdrawn."""
        return self.contacted_in_time + self.late + self.overdue

    @property
    def rate(self) -> float | None:
        """Share, 0..1, of n that was contacted in time; None while n is 0."""
        return self.contacted_in_time / self.n if self.n else None

    @property
    def interval(self) -> Interval | None:
        """Wilson's 95 % interval of the rate; None while n is 0."""
        return wilson(self.contacted_in_time, self.n)

    @property
    def meets_goal(self) -> bool | None:
        return None if self.rate is None else self.rate >= self.goal

    @property
    def shows_percent(self) -> bool:
        """Whether n carries a percentage; below it only the counts are shown."""
        return self.n >= self.percent_from_n

    @property
    def percent(self) -> int | None:
        """The rate in whole per cent for display, rounded down so that 94.9 never reads as 95;
        None where `shows_percent` is false."""
        return 100 * self.contacted_in_time // self.n if self.shows_percent else None


def closure(clocks: Iterable[Clock], now: datetime) -> Closure:
    """Sort the tasks of a cohort as they stood at `now`: a later contact has not happened yet."""
    return Closure(**Counter(_group(clock, now) for clock in clocks))


def _group(clock: Clock, now: datetime) -> str:
    contact = clock.first_contact_at
    if contact is not None and contact > now:
        contact = None
    if clock.withdrawn:
        return "withdrawn"
    if clock.due_at > now:
        return "not_yet_due_contacted" if contact else "not_yet_due_open"
    if contact is None:
        return "overdue"
    return "contacted_in_time" if contact < clock.due_at else "late"
