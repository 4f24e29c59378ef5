"""Send against closing capacity: how many outreach tasks a wave would bring, to whom, and when.

Every detractor becomes a task that wants a personal call within 72 hours, so a wave is best as
large as its account managers can call. The figures are expectations from the last twelve months.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice
from typing import NamedTuple

from django.db.models import Count, Q

from surveys.loop.windows import is_working_day
from surveys.models import DEADLINE, Absence, Channel, Invitation, OutreachTask, Survey, User, Wave

ENOUGH = 30  # answers from which a rate is an owner's own
MEMORY = timedelta(days=365)
RIPE = timedelta(days=7)  # by then those who answer at all have nearly all done so
LONGEST = 366  # days that a wave may be spread over
NOBODY = None  # the owner of accounts that have none

Owner = int | None


@dataclass(frozen=True)
class Rate:
    """Of `asked` customers so many answered, and of these so many were detractors."""

    asked: int = 0
    answered: int = 0
    detractors: int = 0
    whose: str = ""  # “their own accounts”, “this survey”, “surveys of this kind”

    def __add__(self, other: Rate) -> Rate:
        return Rate(
            self.asked + other.asked,
            self.answered + other.answered,
            self.detractors + other.detractors,
        )

    def expected(self, asked: int) -> float:
        """Detractors among so many customers: response rate times detractor rate."""
        return asked * self.detractors / self.asked if self.asked else 0.0

    def of(self, whose: str) -> Rate:
        return Rate(self.asked, self.answered, self.detractors, whose)


@dataclass(frozen=True)
class Away:
    """From the first to the last day, `cover` works what is `owner`'s."""

    owner: int
    cover: int
    first: date
    last: date


def per_day(
    expected: Mapping[Owner, float], days: Sequence[date], away: Iterable[Away] = ()
) -> dict[Owner, list[float]]:
    """New tasks by whoever works them, for each of the days over which a wave is spread evenly.

    As if everybody answered on the day they are asked, which shows the worst. Nobody can cover for
    somebody else while away themselves; the tasks then stay with the owner.
    """
    absences = list(away)
    load: dict[Owner, list[float]] = {}
    for owner, total in expected.items():
        for place, day in enumerate(days):
            worker = _worker(owner, day, absences)
            load.setdefault(worker, [0.0] * len(days))[place] += total / len(days)
    return load


def _worker(owner: Owner, day: date, absences: Iterable[Away]) -> Owner:
    here = [one for one in absences if one.first <= day <= one.last]
    gone = {one.owner for one in here}
    covers = (one.cover for one in here if one.owner == owner and one.cover not in gone)
    return next(covers, owner)


def spread_needed(
    expected: Mapping[Owner, float], days: Sequence[date], limit: float, away: Iterable[Away] = ()
) -> int | None:
    """Over how many of the `days` a wave must be spread so that nobody gets more than `limit` new
    tasks on one of them; None if even all of them are too few. Accounts of nobody do not count."""
    owned: dict[Owner, float] = {
        owner: total for owner, total in expected.items() if owner is not NOBODY and total
    }
    absences = list(away)
    least = max((-(-total // limit) for total in owned.values()), default=1)
    for number in range(max(1, int(least)), len(days) + 1):
        load = per_day(owned, days[:number], absences)
        if all(max(each) <= limit + 1e-9 for each in load.values()):
            return number
    return None


def due_on_days_off(days: Iterable[date]) -> list[tuple[date, date]]:
    """Which of the days bring tasks whose 72 hours end on a Saturday or Sunday, with that day."""
    due = ((day, day + DEADLINE) for day in days)
    return [(day, end) for day, end in due if not is_working_day(end)]


def sending_days(wave: Wave, today: date) -> list[date]:
    """The days from the wave's first on which it might send, as many as it may be spread over."""
    first = max(wave.starts_on or today, today + timedelta(days=wave.heads_up_days or 0))
    every = (first + timedelta(days=n) for n in range(4 * LONGEST))
    strict = wave.survey.working_days_only and not wave.at_once
    return list(islice((day for day in every if not strict or is_working_day(day)), LONGEST))


def rates(survey: Survey, owners: Iterable[Owner], now: datetime) -> dict[Owner, Rate]:
    """For each owner the rate of their own accounts if that rests on 30 answers, else that of the
    whole survey if that does, else that of every survey of its kind. One query."""
    asked = Invitation.objects.filter(
        ~Q(channel=Channel.LINK, link_given_at=None),
        decision=Invitation.Decision.ASK,
        survey__kind=survey.kind,
        send_at__gt=now - MEMORY,
        send_at__lt=now - RIPE,
    )
    by_a_person = Q(response__verdict="person", response__band__gt="")
    rows = (
        asked.order_by()
        .values("survey", "customer__account__owner")
        .annotate(asked=Count("pk"), answered=Count("pk", filter=by_a_person))
        .annotate(detractors=Count("pk", filter=by_a_person & Q(response__band="detractor")))
    )
    mine: dict[Owner, Rate] = {}
    here, kind = Rate(), Rate()
    for row in rows:
        owner = row["customer__account__owner"]
        rate = Rate(row["asked"], row["answered"], row["detractors"])
        kind += rate
        if row["survey"] == survey.pk:
            here += rate
            mine[owner] = mine.get(owner, Rate()) + rate
    return {owner: _best(mine.get(owner, Rate()), here, kind) for owner in owners}


def _best(own: Rate, survey: Rate, kind: Rate) -> Rate:
    if own.answered >= ENOUGH:
        return own.of("their own accounts")
    if survey.answered >= ENOUGH or survey.answered == kind.answered:
        return survey.of("this survey")
    return kind.of("surveys of this kind")


class Stretch(NamedTuple):
    """Sending days in a row that bring the same number of new tasks each."""

    first: date
    last: date
    tasks: float


def stretches(days: Sequence[date], load: Sequence[float]) -> list[Stretch]:
    found: list[Stretch] = []
    for day, tasks in zip(days, load, strict=True):
        if found and abs(found[-1].tasks - tasks) < 1e-9:
            found[-1] = found[-1]._replace(last=day)
        else:
            found.append(Stretch(day, day, tasks))
    return found


@dataclass(frozen=True)
class Load:
    """What a wave would mean for one owner."""

    owner: User | None
    asked: int
    rate: Rate
    expected: float
    by_day: list[Stretch]  # with what they cover for others
    open_tasks: int
    away: list[Absence]

    @property
    def most_on_a_day(self) -> float:
        return max(one.tasks for one in self.by_day)


@dataclass(frozen=True)
class Forecast:
    loads: list[Load]
    limit: int  # new tasks a day that one owner can take on
    spread: int | None  # days that keep every owner within the limit
    expected: float
    weekend: list[tuple[date, date]]  # days of sending, and the days off on which tasks fall due
    weekend_expected: float

    @property
    def fits(self) -> bool:
        return all(one.most_on_a_day <= self.limit + 1e-9 for one in self.loads if one.owner)

    @property
    def has_history(self) -> bool:
        return any(one.rate.answered for one in self.loads)


def forecast(
    wave: Wave, asked: Mapping[Owner, int], limit: int, today: date, now: datetime
) -> Forecast:
    """What the wave would bring to whom. `asked` counts its customers by the owner of their
    account, `limit` is in new tasks a day. Five queries, whatever the sizes."""
    possible = sending_days(wave, today)
    days = possible[: wave.spread_days]
    history = rates(wave.survey, asked, now)
    expected = {owner: history[owner].expected(count) for owner, count in asked.items()}
    absences = list(Absence.objects.filter(last_day__gte=days[0]).order_by("first_day"))
    away = [Away(one.user_id, one.cover_id, one.first_day, one.last_day) for one in absences]
    load = per_day(expected, days, away)
    people = User.objects.in_bulk({*asked, *load} - {NOBODY})
    tasks = OutreachTask.objects.open().filter(owner__in=people).order_by()
    open_tasks = dict(tasks.values_list("owner").annotate(Count("pk")))
    loads = [
        Load(
            owner=people.get(owner),
            asked=asked.get(owner, 0),
            rate=history.get(owner, Rate()),
            expected=expected.get(owner, 0.0),
            by_day=stretches(days, load.get(owner, [0.0] * len(days))),
            open_tasks=open_tasks.get(owner, 0),
            away=[one for one in absences if one.user_id == owner],
        )
        for owner in sorted({*asked, *load}, key=lambda one: str(people.get(one, "~")))
    ]
    weekend = due_on_days_off(days)
    total = sum(expected.values())
    return Forecast(
        loads=loads,
        limit=limit,
        spread=spread_needed(expected, possible, limit, away),
        expected=total,
        weekend=weekend,
        weekend_expected=total * len(weekend) / wave.spread_days,
    )
