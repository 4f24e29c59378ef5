"""Five figures at a glance: response rate, NPS, CSAT, closure within 72 hours, and what is overdue
now; over twelve months or weeks, and by segment, region and survey."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count

from analysis import counts
from analysis.counts import BANDS, NOBODY, OF_TASK, TOGETHER, Bands, Scope
from analysis.measures.closure import Closure
from analysis.measures.clusters import Moments
from analysis.measures.rolling import WINDOW, rolling
from analysis.measures.scores import Score, measure
from analysis.measures.suppression import hidden
from analysis.months import Month
from analysis.report import ANONYMOUS, Asked, Filters, enough, newest_month, only_n
from analysis.rollups import AnswerDay
from surveys.models import DEADLINE, Kind, OutreachTask, Survey
from surveys.models.urgency import today

BACK = 12  # periods
Key = tuple[Any, ...]
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

    def __add__(self, other: Five) -> Five:
        """Of both groups; what was known of their accounts is not known of both."""
        return Five(
            self.asked + other.asked,
            _three([sum(pair) for pair in zip(self.nps_bands, other.nps_bands, strict=True)]),
            _three([sum(pair) for pair in zip(self.csat_bands, other.csat_bands, strict=True)]),
            self.closure + other.closure,
        )

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
    surveys = {one.pk: one for one in Survey.objects.all()}
    kinds = {pk: one.kind for pk, one in surveys.items()}
    periods = _periods(scope, unit, now, kinds)
    chosen = _scope(filters, firsts[-1], end)
    cells, overdue = _fives(chosen, now, kinds, *GROUPINGS), _overdue(chosen, now)
    return Dashboard(
        filters,
        unit,
        [(first, periods.get(first, Five())) for first in firsts],
        {name: _groups(chosen, name, surveys, cells, overdue) for name in GROUPINGS},
        sum(overdue.values()),
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
    found = {day: one for (day,), one in _fives(scope, now, kinds, unit).items()}
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


def _fives(scope: Scope, now: datetime, kinds: Mapping[int, str], *by: str) -> dict[Key, Five]:
    """By the values of `by`: periods, or segment, region and survey."""
    bands: dict[tuple[Key, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for row in counts.answers(scope, *dict.fromkeys((*by, "survey"))):
        if row["source"] != ANONYMOUS:
            sums = bands[tuple(row[name] for name in by), kinds[row["survey"]]]
            for place, band in enumerate(BANDS):
                sums[place] += row[band]
    asked = {tuple(row.pop(name) for name in by): Asked(**row) for row in counts.asked(scope, *by)}
    closures = counts.closures(scope, now, *by)
    keys = {key for key, _ in bands} | asked.keys() | closures.keys()
    return {
        key: Five(
            asked.get(key, NOT_ASKED),
            _three(bands.get((key, Kind.NPS), NOBODY)),
            _three(bands.get((key, Kind.CSAT), NOBODY)),
            closures.get(key, NONE_DUE),
        )
        for key in keys
    }


def _three(sums: Sequence[int]) -> Bands:
    promoters, passives, detractors = sums
    return promoters, passives, detractors


def _groups(
    scope: Scope,
    name: str,
    surveys: Mapping[int, Survey],
    cells: Mapping[Key, Five],
    overdue: Mapping[Key, int],
) -> list[tuple[str, Five, int]]:
    place = GROUPINGS.index(name)
    found: dict[Any, Five] = defaultdict(Five)
    late: Counter[Any] = Counter()
    for key, one in cells.items():
        found[key[place]] += one
    for key, n in overdue.items():
        late[key[place]] += n
    small = _too_small(scope, name, surveys, found)
    rows = [
        (
            surveys[key].name if name == "survey" else key or "None",
            replace(found[key], hidden=frozenset(kind for kind in small if key in small[kind])),
            late[key],
        )
        for key in found.keys() | late.keys()
    ]
    return sorted(rows, key=lambda row: (-row[1].asked.invited, row[0]))


def _too_small(
    scope: Scope, name: str, surveys: Mapping[int, Survey], found: Mapping[Any, Five]
) -> dict[str, set[Any]]:
    """By kind: the groups whose score stays hidden."""
    small = {
        str(Kind.NPS): set(hidden({key: sum(one.nps_bands) for key, one in found.items()})),
        str(Kind.CSAT): set(hidden({key: sum(one.csat_bands) for key, one in found.items()})),
    }
    for cell in counts.hidden_cells(scope, name):
        kind, is_anonymous = surveys[cell[-2]].kind, cell[-1]
        if not is_anonymous and kind in small:
            small[kind].add(cell[0])
    return small


def _overdue(scope: Scope, now: datetime) -> dict[Key, int]:
    """Whenever it began: what is overdue now is no matter of a period."""
    paths = {"region": "customer__account__region"}
    wanted = {paths.get(k, f"response__{k}"): v for k, v in scope.narrowed.items()}
    rows = OutreachTask.objects.overdue(now).filter(cause=OutreachTask.Cause.DETRACTOR, **wanted)
    keys = {f"by_{name}": OF_TASK[name] for name in GROUPINGS}
    found = rows.order_by().annotate(**keys).values_list(*keys).annotate(n=Count("pk"))
    return {tuple(key): n for *key, n in found}


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
