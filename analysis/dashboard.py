"""Five figures at a glance: response rate, NPS, CSAT, closure within 72 hours, and what is overdue
now; over twelve months or weeks, and by segment, region and survey."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count

from analysis import counts
from analysis.counts import NOBODY, OF_TASK, TOGETHER, Bands, Scope
from analysis.measures.closure import Closure
from analysis.measures.clusters import Moments
from analysis.measures.rolling import WINDOW, rolling
from analysis.measures.scores import Score, measure
from analysis.measures.suppression import hidden
from analysis.months import Month
from analysis.report import ANONYMOUS, Asked, Filters, enough, newest_month, only_n
from analysis.rollups import AnswerDay
from surveys.models import DEADLINE, Band, Kind, OutreachTask, Survey
from surveys.models.urgency import today

BACK = 12  # periods
GROUPINGS = ("segment", "region", "survey")
WEEKS_OF_CSAT = 13
WEEK = timedelta(days=7)
NOT_ASKED, NONE_DUE = Asked(), Closure()


@dataclass(frozen=True)
class Five:
    """Of one period or one group. Scores are bands until they are asked for."""

    asked: Asked = NOT_ASKED
    nps_bands: Bands = NOBODY
    csat_bands: Bands = NOBODY
    closure: Closure = NONE_DUE
    accounts: Moments | None = None  # of the NPS
    hidden: frozenset[str] = frozenset()  # kinds whose score would tell what few have said

    @property
    def nps(self) -> Score:
        return self._score(Kind.NPS, self.nps_bands)

    @property
    def csat(self) -> Score:
        return self._score(Kind.CSAT, self.csat_bands)

    @property
    def response(self) -> Score:
        return self.asked.rate

    def _score(self, kind: str, bands: Bands) -> Score:
        found = measure(kind, bands, self.accounts)
        return only_n(found) if kind in self.hidden else enough(found)


@dataclass(frozen=True)
class Dashboard:
    filters: Filters
    unit: str  # month, week
    periods: list[tuple[date, Five]]  # by their first days, the chosen one last
    groups: Mapping[str, list[tuple[str, Five, int]]]  # of the chosen one; with what is overdue now
    overdue: int
    csat: list[tuple[date, Score]]  # of the 30 days until each of the last thirteen weeks

    @property
    def chosen(self) -> Five:
        return self.periods[-1][1]

    @property
    def before(self) -> Five:
        return self.periods[-2][1]


def dashboard(filters: Filters, unit: str, now: datetime) -> Dashboard:
    """`unit` is month or week; a week begins on Monday, and the chosen one is the last that has
    some elapsed hours, or the last of the chosen month."""
    firsts = _firsts(filters, unit, now)
    end = _after(firsts[-1], unit)
    scope = _scope(filters, firsts[0], end)
    kinds = dict(Survey.objects.values_list("pk", "kind"))
    periods = _periods(scope, unit, now, kinds)
    chosen = _scope(filters, firsts[-1], end)
    overdue = {name: _overdue(chosen, now, name) for name in GROUPINGS}
    return Dashboard(
        filters,
        unit,
        [(first, periods.get(first, Five())) for first in firsts],
        {name: _groups(chosen, now, name, kinds, overdue[name]) for name in GROUPINGS},
        sum(overdue["survey"].values()),
        _rolling_csat(filters, min(end - timedelta(days=1), today(now)), kinds),
    )


def _firsts(filters: Filters, unit: str, now: datetime) -> list[date]:
    month = filters.month or newest_month(now)
    if unit == "month":
        return [one.first_day for one in month.last(BACK)]
    last = min(month.plus(1).first_day - timedelta(days=1), today(now - DEADLINE))
    monday = last - timedelta(days=last.weekday())
    return [monday - WEEK * back for back in reversed(range(BACK))]


def _after(first: date, unit: str) -> date:
    return first + WEEK if unit == "week" else Month(first.year, first.month).plus(1).first_day


def _scope(filters: Filters, first: date, end: date) -> Scope:
    return Scope(first, end, filters.survey, filters.product, filters.segment, filters.region)


def _periods(scope: Scope, unit: str, now: datetime, kinds: Mapping[int, str]) -> dict[date, Five]:
    found = _fives(scope, now, unit, kinds)
    moments = _moments(scope, found, kinds) if unit == "month" else {}
    hides: dict[date, set[str]] = defaultdict(set)
    for day, survey, is_anonymous in counts.hidden_cells(scope, unit):
        if not is_anonymous:
            hides[day].add(kinds[survey])
    return {
        day: Five(
            one.asked, one.nps_bands, one.csat_bands, one.closure,
            moments.get(day), frozenset(hides[day]),
        )
        for day, one in found.items()
    }  # fmt: skip


def _moments(
    scope: Scope, found: Mapping[date, Five], kinds: Mapping[int, str]
) -> dict[date, Moments]:
    """By month: of the accounts that answered any of the NPS surveys."""
    surveys = [one for one, kind in kinds.items() if kind == Kind.NPS]
    if scope.survey is not None:
        surveys = [one for one in surveys if one == scope.survey]
    whole = {(Month(day.year, day.month), TOGETHER): one.nps_bands for day, one in found.items()}
    moments = counts.moments(scope, surveys, whole) if surveys and whole else {}
    return {month.first_day: one for (month, _), one in moments.items()}


def _fives(scope: Scope, now: datetime, by: str, kinds: Mapping[int, str]) -> dict[Any, Five]:
    """By the values of `by`: a period, segment, region or survey."""
    names = (by,) if by == "survey" else (by, "survey")
    bands: dict[tuple[Any, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for row in counts.answers(scope, *names):
        if row["source"] != ANONYMOUS:
            sums = bands[row[by], kinds[row["survey"]]]
            for place, band in enumerate((Band.PROMOTER, Band.PASSIVE, Band.DETRACTOR)):
                sums[place] += row[band]
    asked = {row.pop(by): Asked(**row) for row in counts.asked(scope, by)}
    closures = {key: one for (key,), one in counts.closures(scope, now, by).items()}
    keys = {key for key, _ in bands} | asked.keys() | closures.keys()
    return {
        key: Five(
            asked.get(key, Asked()),
            _three(bands.get((key, Kind.NPS))),
            _three(bands.get((key, Kind.CSAT))),
            closures.get(key, Closure()),
        )
        for key in keys
    }


def _three(sums: list[int] | None) -> Bands:
    promoters, passives, detractors = sums or NOBODY
    return promoters, passives, detractors


def _groups(
    scope: Scope, now: datetime, name: str, kinds: Mapping[int, str], overdue: Mapping[Any, int]
) -> list[tuple[str, Five, int]]:
    found = _fives(scope, now, name, kinds)
    small = {
        Kind.NPS: hidden({key: sum(one.nps_bands) for key, one in found.items()}),
        Kind.CSAT: hidden({key: sum(one.csat_bands) for key, one in found.items()}),
    }
    for cell in counts.hidden_cells(scope, name):
        if not cell[-1]:
            small[kinds[cell[-2]]] = small.get(kinds[cell[-2]], frozenset()) | {cell[0]}
    words = _words(name)
    rows = [
        (
            words(key),
            Five(one.asked, one.nps_bands, one.csat_bands, one.closure, None,
                 frozenset(kind for kind, keys in small.items() if key in keys)),
            overdue.get(key, 0),
        )
        for key, one in found.items()
    ]  # fmt: skip
    return sorted(rows, key=lambda row: (-row[1].asked.invited, row[0]))


def _words(name: str) -> Callable[[Any], str]:
    if name == "survey":
        names = dict(Survey.objects.values_list("pk", "name"))
        return lambda key: names.get(key, "")
    return lambda key: key or "None"


def _overdue(scope: Scope, now: datetime, by: str) -> dict[Any, int]:
    """Whenever it began: what is overdue now is no matter of a period."""
    paths = {"region": "customer__account__region"}
    wanted = {paths.get(k, f"response__{k}"): v for k, v in scope.narrowed.items()}
    rows = OutreachTask.objects.overdue(now).filter(cause=OutreachTask.Cause.DETRACTOR, **wanted)
    found = rows.order_by().annotate(key=OF_TASK[by]).values_list("key").annotate(n=Count("pk"))
    return dict(found)


def _rolling_csat(
    filters: Filters, last: date, kinds: Mapping[int, str]
) -> list[tuple[date, Score]]:
    first = last - WEEK * (WEEKS_OF_CSAT - 1)
    scope = _scope(filters, first - timedelta(days=WINDOW), last + timedelta(days=1))
    wanted = [one for one, kind in kinds.items() if kind == Kind.CSAT]
    rows = scope.of(AnswerDay.objects.filter(survey__in=wanted).exclude(source=ANONYMOUS))
    by_day: dict[date, list[int]] = defaultdict(lambda: [0, 0, 0])
    for day, *bands in rows.values_list("day", "promoters", "passives", "detractors"):
        by_day[day] = [a + b for a, b in zip(by_day[day], bands, strict=True)]
    days = {day: _three(sums) for day, sums in by_day.items()}
    return [(day, enough(one)) for day, one in rolling(Kind.CSAT, days, first, last)][::7]
