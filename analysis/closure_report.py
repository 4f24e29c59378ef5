"""The closure report of a month: whom of its detractors we reached in 72 hours, who reached them,
how long it took, and what became of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import (
    Case,
    Count,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.fields import DateTimeField, IntegerField
from django.db.models.functions import Extract, Floor, Least

from analysis import counts
from analysis.board import contact_curve
from analysis.counts import Scope
from analysis.measures.change import Change, change
from analysis.measures.closure import Closure
from analysis.measures.false_closure import FalseClosures
from analysis.measures.needed import Needed, needed
from analysis.measures.scores import Score, share
from analysis.measures.survival import Curve, kaplan_meier
from analysis.months import Month, within
from analysis.report import Filters, newest_month
from analysis.rollups import Tier
from surveys.models import (
    Band,
    Confirmation,
    GotBack,
    Helped,
    OutreachTask,
    Response,
    Survey,
    Team,
    User,
)

GROUPINGS = ("owner", "team", "segment", "tier", "region", "survey")
UNASSIGNED, NO_TEAM, NONE = "Unassigned", "No team", "None"
HOUR = 3_600  # seconds
LONGEST = 24 * 60  # hours after which a task is no longer watched
Group = tuple[str, Closure]


@dataclass(frozen=True)
class Recovery:
    """Of detractors who have answered again, who is none any more."""

    reached: Score  # before they answered again
    unreached: Score


@dataclass(frozen=True)
class ClosureReport:
    filters: Filters
    month: Month
    closure: Closure
    before: Closure  # of the month before
    groups: Mapping[str, list[Group]]  # by each of GROUPINGS, the largest first
    first_contact: Curve  # in minutes
    time_to_close: Curve  # in hours
    false_closures: FalseClosures  # of what customers said in the month
    recovery: Recovery | None  # only where asked for: it looks at every task's later answers

    @property
    def change(self) -> Change | None:
        """Of the rate since the month before, -1..+1."""
        now, then = (share(one.contacted_in_time, one.n) for one in (self.closure, self.before))
        return change(now, then)

    @property
    def needed(self) -> Needed:
        return needed(self.closure)


def closure_report(filters: Filters, now: datetime, recovered: bool = False) -> ClosureReport:
    """As it stands at `now`. The number of queries depends on nothing."""
    month = filters.month or newest_month(now)
    scope = filters.scope(month, month)
    earlier = filters.scope(month.plus(-1), month.plus(-1))
    cells = counts.closures(scope, now, "owner", "segment", "tier", "region", "survey")
    cohort = counts.tasks(scope)
    return ClosureReport(
        filters,
        month,
        sum(cells.values(), Closure()),
        counts.closures(earlier, now).get((), Closure()),
        _groups(cells),
        contact_curve(cohort, now),
        time_to_close(cohort, now),
        _false_closures(scope, month),
        recovery(cohort, now) if recovered else None,
    )


def _groups(cells: Mapping[tuple, Closure]) -> dict[str, list[Group]]:
    users = {one.pk: one for one in User.objects.select_related("team")}
    surveys = dict(Survey.objects.values_list("pk", "name"))
    names: dict[str, Callable[[tuple], str]] = {
        "owner": lambda key: str(users.get(key[0], UNASSIGNED)),
        "team": lambda key: str(_team(users.get(key[0])) or NO_TEAM),
        "segment": lambda key: key[1] or NONE,
        "tier": lambda key: str(Tier(key[2]).label),
        "region": lambda key: key[3] or NONE,
        "survey": lambda key: surveys.get(key[4], ""),
    }
    return {grouping: _summed(cells, names[grouping]) for grouping in GROUPINGS}


def _team(user: User | None) -> Team | None:
    return user.team if user else None


def _summed(cells: Mapping[tuple, Closure], name: Callable[[tuple], str]) -> list[Group]:
    sums: dict[str, Closure] = defaultdict(Closure)
    for key, closure in cells.items():
        sums[name(key)] += closure
    return sorted(sums.items(), key=lambda row: (-row[1].n, row[0]))


def time_to_close(cohort: QuerySet[OutreachTask], now: datetime) -> Curve:
    """From the answer to the closing, in whole hours begun at 0, each watched for 60 days. Who is
    open still waits at `now`; of the forgotten nothing is known after their deadline."""
    rows = cohort.exclude(state=OutreachTask.State.WITHDRAWN)
    closed = Q(state=OutreachTask.State.CLOSED, closed_at__lte=now)
    until = Case(
        When(closed, then=F("closed_at")),
        When(state=OutreachTask.State.FORGOTTEN, then=Least("due_at", Value(now))),
        default=Value(now),
        output_field=DateTimeField(),
    )
    waited = Floor(Extract(until - F("started_at"), "epoch") / Value(HOUR))
    hour = Least(waited, Value(LONGEST), output_field=IntegerField())
    counted = (
        rows.annotate(hour=hour)
        .values("hour")
        .annotate(events=Count("pk", filter=closed & Q(hour__lt=LONGEST)), all=Count("pk"))
    )
    found = counted.values_list("hour", "events", "all")
    return kaplan_meier((max(0.0, float(h)), events, n - events) for h, events, n in found)


def _false_closures(scope: Scope, month: Month) -> FalseClosures:
    """By the month in which customers said so."""
    paths = {"region": "task__customer__account__region"}
    wanted = {paths.get(k, f"task__response__{k}"): v for k, v in scope.narrowed.items()}
    said = Confirmation.objects.filter(claimed=True, **within("answered_at", [month]), **wanted)
    denied, unhelpful = Q(got_back=GotBack.NO), Q(got_back=GotBack.YES, helped=Helped.NO)
    return FalseClosures(
        **said.aggregate(
            denied=Count("pk", filter=denied),
            unhelpful=Count("pk", filter=unhelpful),
            confirmed=Count("pk", filter=~denied & ~unhelpful),
        )
    )


def recovery(cohort: QuerySet[OutreachTask], now: datetime) -> Recovery:
    """By the next score that the same customer gave in the same family of surveys."""
    later = (
        Response.objects.counted()
        .filter(
            customer=OuterRef("customer"),
            kind=OuterRef("response__kind"),
            survey__family=OuterRef("response__survey__family"),
            answered_at__gt=OuterRef("response__answered_at"),
            answered_at__lte=now,
        )
        .exclude(band="")
        .order_by("answered_at", "pk")
    )
    rows = (
        cohort.exclude(state=OutreachTask.State.WITHDRAWN)
        .annotate(
            again=Subquery(later.values("band")[:1]),
            again_at=Subquery(later.values("answered_at")[:1]),
        )
        .filter(again__isnull=False)
    )
    reached, well = Q(first_contact_at__lt=F("again_at")), ~Q(again=Band.DETRACTOR)
    found = rows.aggregate(
        reached=Count("pk", filter=reached),
        reached_well=Count("pk", filter=reached & well),
        all=Count("pk"),
        all_well=Count("pk", filter=well),
    )
    unreached = found["all"] - found["reached"], found["all_well"] - found["reached_well"]
    return Recovery(
        share(found["reached_well"], found["reached"]), share(unreached[1], unreached[0])
    )
