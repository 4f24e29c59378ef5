"""What the rollups say of a row of days, grouped by whatever the caller asks for.

Closure alone also needs the rows: whether a task of the last 72 hours and their day is a miss
depends on the hour, so the last four days are counted from the tasks themselves.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection
from django.db.models import (
    Case,
    CharField,
    Count,
    F,
    IntegerField,
    Q,
    QuerySet,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce, TruncMonth, TruncWeek
from django.utils import timezone

from analysis.measures.closure import Closure
from analysis.measures.clusters import Moments
from analysis.measures.suppression import hidden
from analysis.months import Month, month_of
from analysis.rollups import LARGE_FROM, MIDDLE_FROM, AnswerDay, AskedDay, TaskDay, Tier
from surveys.models import DEADLINE, Band, OutreachTask, Response
from surveys.models.urgency import midnight, today

BANDS = (Band.PROMOTER, Band.PASSIVE, Band.DETRACTOR)
Names = tuple[str, ...]
Bands = tuple[int, int, int]  # answers in each of BANDS
NOBODY: Bands = (0, 0, 0)
DIMENSIONS = ("segment", "product", "region")
PERIODS = {"month": TruncMonth("day"), "week": TruncWeek("day")}


@dataclass(frozen=True)
class Scope:
    """Answers of the days from `first` to before `end`, of one survey, product, segment or region,
    or of all where that is empty."""

    first: date
    end: date
    survey: int | None = None
    product: str = ""
    segment: str = ""
    region: str = ""

    @property
    def narrowed(self) -> dict[str, Any]:
        names = ("survey", *DIMENSIONS)
        return {name: value for name in names if (value := getattr(self, name))}

    def of(self, rows: QuerySet) -> QuerySet:
        """The rows of a rollup that are in it."""
        return rows.filter(day__gte=self.first, day__lt=self.end, **self.narrowed).order_by()


# Where a task has what a rollup calls so.
REVENUE = "customer__account__revenue"
OF_TASK: dict[str, Any] = {
    "survey": F("response__survey"),
    "product": F("response__product"),
    "segment": F("response__segment"),
    "region": Coalesce("customer__account__region", Value(""), output_field=CharField()),
    "owner": F("owner"),
    "team": F("owner__team"),
    "tier": Case(
        When(**{f"{REVENUE}__isnull": True}, then=Value(int(Tier.UNKNOWN))),
        When(**{f"{REVENUE}__lt": MIDDLE_FROM}, then=Value(int(Tier.SMALL))),
        When(**{f"{REVENUE}__lt": LARGE_FROM}, then=Value(int(Tier.MIDDLE))),
        default=Value(int(Tier.LARGE)),
        output_field=IntegerField(),
    ),
    "month": month_of("started_at"),
    "week": TruncWeek("started_at", tzinfo=timezone.get_default_timezone()),
}
OF_DAY: dict[str, Any] = {name: F(name) for name in OF_TASK} | {
    "team": F("owner__team"),
    **PERIODS,
}
SUMS = {
    "contacted_in_time": Sum("in_time"),
    "late": Sum("late"),
    "overdue": Sum("waiting"),
    "withdrawn": Sum("withdrawn"),
}


def closures(scope: Scope, now: datetime, *by: str) -> dict[tuple, Closure]:
    """Detractors by the day their 72 hours began, grouped by names of OF_TASK: a month as its
    first day, the owner of an unassigned task as None. Without names all under ()."""
    settled = today(now - DEADLINE)  # of all tasks before that day the 72 hours have elapsed
    sums: dict[tuple, Counter[str]] = defaultdict(Counter)
    for row in (*_settled(scope, settled, by), *_lately(scope, settled, now, by)):
        key = tuple(_plain(row.pop(f"by_{name}")) for name in by)
        sums[key].update({name: n or 0 for name, n in row.items() if name != "by_"})
    return {key: Closure(**found) for key, found in sums.items()}


def _settled(scope: Scope, before: date, by: Names) -> Iterator[dict[str, Any]]:
    rows = scope.of(TaskDay.objects.filter(day__lt=before))
    return _counted(_grouped(rows, OF_DAY, by), SUMS)


def _lately(scope: Scope, since: date, now: datetime, by: Names) -> Iterator[dict[str, Any]]:
    rows = tasks(scope).filter(started_at__gte=midnight(since))
    counts = {name: Count("pk", filter=rule) for name, rule in closure_groups(now).items()}
    return _counted(_grouped(rows, OF_TASK, by), counts)


def _grouped(rows: QuerySet, names: Mapping[str, Any], by: Names) -> QuerySet:
    keys = {f"by_{name}": names[name] for name in by} or {"by_": Value(0)}
    return rows.annotate(**keys).values(*keys)


def _counted(rows: QuerySet, counts: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Counts may have the name of a column."""
    for row in rows.annotate(**{f"n_{name}": count for name, count in counts.items()}):
        yield {name.removeprefix("n_"): value for name, value in row.items()}


def _plain(key: Hashable) -> Hashable:
    """A month is its first day, whatever PostgreSQL calls it."""
    return today(key) if isinstance(key, datetime) else key


def tasks(scope: Scope) -> QuerySet[OutreachTask]:
    """The detractors' tasks themselves."""
    paths = {"region": "customer__account__region"}
    wanted = {paths.get(k, f"response__{k}"): value for k, value in scope.narrowed.items()}
    return OutreachTask.objects.filter(
        cause=OutreachTask.Cause.DETRACTOR,
        started_at__gte=midnight(scope.first),
        started_at__lt=midnight(scope.end),
        **wanted,
    ).order_by()


def closure_groups(now: datetime) -> dict[str, Q]:
    """The groups of `measures.closure`, each task in exactly one, as conditions on OutreachTask."""
    withdrawn = Q(state=OutreachTask.State.WITHDRAWN)
    elapsed, running = ~withdrawn & Q(due_at__lte=now), ~withdrawn & Q(due_at__gt=now)
    contacted = Q(first_contact_at__lte=now)
    waiting = Q(first_contact_at=None) | Q(first_contact_at__gt=now)
    return {
        "contacted_in_time": elapsed & contacted & Q(first_contact_at__lt=F("due_at")),
        "late": elapsed & contacted & Q(first_contact_at__gte=F("due_at")),
        "overdue": elapsed & waiting,
        "not_yet_due_contacted": running & contacted,
        "not_yet_due_open": running & waiting,
        "withdrawn": withdrawn,
    }


def answers(scope: Scope, *by: str) -> list[dict[str, Any]]:
    """Bands by the named columns and by `source`; months and weeks are their first days."""
    return list(
        _by_columns(scope.of(AnswerDay.objects.all()), (*by, "source")).annotate(
            promoter=Sum("promoters"),
            passive=Sum("passives"),
            detractor=Sum("detractors"),
            no_task=Sum("without_task"),
        )
    )


def asked(scope: Scope, *by: str) -> list[dict[str, Any]]:
    """Invitations by the named columns; months and weeks are their first days."""
    rows = _by_columns(scope.of(AskedDay.objects.all()), by)
    sums = {name: Sum(name) for name in ("invited", "answered", "by_link", "by_link_answered")}
    return list(_counted(rows, sums))


def _by_columns(rows: QuerySet, by: Names) -> QuerySet:
    return rows.annotate(**{name: PERIODS[name] for name in by if name in PERIODS}).values(*by)


MOMENTS = """
SELECT month, survey, sum(p)::bigint, sum(q)::bigint, sum(d)::bigint, count(*),
    sum((p - d) * (p - d))::bigint, sum((p - d) * (p + q + d))::bigint,
    sum((p + q + d) * (p + q + d))::bigint
FROM (
    SELECT month, CASE WHEN %(apart)s THEN survey_id ELSE 0 END AS survey,
        sum(promoters) AS p, sum(passives) AS q, sum(detractors) AS d
    FROM analysis_accountmonth
    WHERE month >= %(first)s AND month < %(end)s AND survey_id = ANY(%(surveys)s)
        AND (%(segment)s = '' OR segment = %(segment)s)
        AND (%(product)s = '' OR product = %(product)s)
        AND (%(region)s = '' OR account_id IN (
            SELECT id FROM surveys_account WHERE region = %(region)s))
    GROUP BY 1, 2, account_id
) AS account
GROUP BY month, survey
"""
SurveyMonth = tuple[Month, int]
TOGETHER = 0  # in place of a survey


def moments(
    scope: Scope, surveys: Sequence[int], whole: Mapping[SurveyMonth, Bands]
) -> dict[SurveyMonth, Moments]:
    """Of the accounts that answered these surveys, each by itself or TOGETHER, as the keys of
    `whole` say: all answers of known customers. Those of no account are an account of their own."""
    apart = all(survey != TOGETHER for _, survey in whole)
    with connection.cursor() as cursor:
        values = asdict(scope) | {"surveys": list(surveys), "apart": apart}
        cursor.execute(MOMENTS, values)
        rows = {(Month(m.year, m.month), survey): rest for m, survey, *rest in cursor.fetchall()}
    return {key: _with_single_ones(bands, rows.get(key)) for key, bands in whole.items()}


def _with_single_ones(whole: Bands, row: list[int] | None) -> Moments:
    promoters, passives, detractors, *found = row or [0] * 7
    in_accounts = promoters, passives, detractors
    alone = [both - some for both, some in zip(whole, in_accounts, strict=True)]
    n = sum(alone)
    singles = Moments(n, alone[0] + alone[2], alone[0] - alone[2], n)
    return singles + Moments(*found)


def hidden_cells(scope: Scope, *by: str) -> set[tuple]:
    """Of groups by the named columns and by survey: those whose score would tell, as it is or as a
    difference to the same report with one filter less, what too few people said. Each with whether
    it is of anonymous answers."""
    return {
        cell
        for name in DIMENSIONS
        if name not in by and (wanted := getattr(scope, name))
        for cell, siblings in _siblings(scope, name, by).items()
        if wanted in hidden(siblings)
    }


def _siblings(scope: Scope, name: str, by: Names) -> dict[tuple, dict[str, int]]:
    wider = Scope(**{**asdict(scope), name: ""})
    names = tuple(dict.fromkeys((*by, "survey")))
    found: dict[tuple, dict[str, int]] = defaultdict(Counter)
    for row in answers(wider, *names, name):
        is_anonymous = row["source"] == Response.Source.ANONYMOUS
        cell = (*(row[one] for one in names), is_anonymous)
        found[cell][row[name]] += sum(row[band] for band in BANDS)
    return found
