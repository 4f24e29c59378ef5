"""The manager's board: what is open and how urgent it is, and how the first contacts go.

Counted by PostgreSQL, by owner, by month or by minute, so that neither the queries nor what they
return grow with the tasks. Only of tasks that the reader may see.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta

from django.db.models import (
    Case,
    Count,
    DateTimeField,
    F,
    IntegerField,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.functions import Extract, Floor, Greatest, Least

from analysis.counts import closure_groups
from analysis.loads import Load, loads
from analysis.measures.closure import Closure
from analysis.measures.false_closure import FalseClosures
from analysis.measures.survival import Curve, kaplan_meier
from analysis.months import Month, month_of, within
from surveys.models import Absence, Confirmation, GotBack, Helped, OutreachTask, Team, User
from surveys.models.outreach import OutreachTasks
from surveys.models.urgency import open_tasks, today, urgencies
from surveys.models.visibility import owned

COHORT = timedelta(days=30)  # whose first contacts make the curve; whose words count
HORIZON = timedelta(days=7)  # as far as the curve looks
AHEAD = timedelta(days=14)  # absences that begin within it are shown

MINUTE = 60
Owner = User | None


@dataclass(frozen=True)
class Workload:
    """Counts of open tasks; what they mean stands in `surveys.models.urgency`."""

    open: int = 0
    overdue: int = 0
    within_4: int = 0
    within_24: int = 0
    today: int = 0
    reached: int = 0

    def __add__(self, other: Workload) -> Workload:
        pairs = ((getattr(self, one.name), getattr(other, one.name)) for one in fields(self))
        return Workload(*(mine + theirs for mine, theirs in pairs))

    @property
    def urgency(self) -> tuple[int, ...]:
        """Sorts the most urgent first."""
        return -self.overdue, -self.within_4, -self.within_24, -self.open


@dataclass(frozen=True)
class Board:
    as_of: datetime
    total: Workload
    by_owner: list[tuple[Owner, Workload]]  # the most urgent first; None: unassigned
    by_team: list[tuple[Team | None, Workload]]
    loads: list[Load]
    absences: list[Absence]  # now and soon
    month: Month
    closure: Closure  # of the month
    closure_before: Closure  # of the month before
    first_contact: Curve  # in minutes
    false_closures: FalseClosures  # of what customers said in the last 30 days

    @property
    def today(self) -> date:
        return today(self.as_of)


def board(user: User, tasks_a_day: int, now: datetime) -> Board:
    """What `user` may see of it at `now`, if a colleague can reach `tasks_a_day` customers on a
    working day. Twelve queries, whatever the sizes."""
    tasks = OutreachTask.objects.visible_to(user)
    people = {one.pk: one for one in User.objects.select_related("team")}
    by_owner = {people.get(key): one for key, one in _open(user, now).items()}
    month = Month.of(now)
    closures = _closures(tasks, [month.plus(-1), month], now)
    return Board(
        as_of=now,
        total=sum(by_owner.values(), Workload()),
        by_owner=sorted(by_owner.items(), key=_urgency),
        by_team=sorted(_by_team(by_owner).items(), key=_urgency),
        loads=loads(user, tasks_a_day, now),
        absences=_absences(user, now),
        month=month,
        closure=closures.get(month, Closure()),
        closure_before=closures.get(month.plus(-1), Closure()),
        first_contact=first_contact(tasks, now),
        false_closures=_false_closures(tasks, now),
    )


def _open(user: User, now: datetime) -> dict[int | None, Workload]:
    counts = {name: Count("pk", filter=rule) for name, rule in urgencies(now).items()}
    rows = open_tasks().visible_to(user).order_by().values("owner")
    found = rows.annotate(open=Count("pk"), **counts)
    return {row.pop("owner"): Workload(**row) for row in found}


def _by_team(by_owner: Mapping[Owner, Workload]) -> dict[Team | None, Workload]:
    sums: dict[Team | None, Workload] = defaultdict(Workload)
    for owner, one in by_owner.items():
        sums[owner.team if owner else None] += one
    return sums


def _urgency(row: tuple[object, Workload]) -> tuple:
    return *row[1].urgency, str(row[0])


def _absences(user: User, now: datetime) -> list[Absence]:
    day = today(now)
    soon = Absence.objects.filter(last_day__gte=day, first_day__lte=day + AHEAD)
    rows = soon.filter(owned(user, "user"), user__is_active=True)
    return list(rows.select_related("user", "cover").order_by("first_day", "user__name", "pk"))


def _closures(tasks: OutreachTasks, months: Iterable[Month], now: datetime) -> dict[Month, Closure]:
    groups = {name: Count("pk", filter=rule) for name, rule in closure_groups(now).items()}
    rows = tasks.filter(cause=OutreachTask.Cause.DETRACTOR, **within("started_at", months))
    rows = rows.order_by().annotate(month=month_of("started_at")).values("month").annotate(**groups)
    return {Month.of(row.pop("month")): Closure(**row) for row in rows}


def _false_closures(tasks: OutreachTasks, now: datetime) -> FalseClosures:
    said = Confirmation.objects.filter(
        claimed=True, answered_at__gt=now - COHORT, answered_at__lte=now, task__in=tasks
    )
    denied, unhelpful = Q(got_back=GotBack.NO), Q(got_back=GotBack.YES, helped=Helped.NO)
    counts = {
        "denied": Count("pk", filter=denied),
        "unhelpful": Count("pk", filter=unhelpful),
        "confirmed": Count("pk", filter=~denied & ~unhelpful),
    }
    return FalseClosures(**said.aggregate(**counts))


def first_contact(tasks: OutreachTasks, now: datetime) -> Curve:
    """How long detractors wait for the first contact, in whole minutes begun at 0: the cohort of
    the last 30 days, watched for up to seven days each.

    Who has not been reached still waits at `now`, even when the task was closed without a contact,
    so that giving up cannot flatter; the forgotten waited until their deadline, and nothing is
    known of later. The withdrawn are left out.
    """
    return contact_curve(
        tasks.filter(
            cause=OutreachTask.Cause.DETRACTOR, started_at__gt=now - COHORT, started_at__lte=now
        ),
        now,
    )


def contact_curve(cohort: QuerySet[OutreachTask], now: datetime) -> Curve:
    """The same of any cohort of detractors' tasks."""
    cohort = cohort.exclude(state=OutreachTask.State.WITHDRAWN)
    contacted = Q(first_contact_at__lte=now)
    forgotten = Q(state=OutreachTask.State.FORGOTTEN)
    until = Case(
        When(contacted, then=F("first_contact_at")),
        When(forgotten, then=Least("due_at", Value(now))),
        default=Value(now),
        output_field=DateTimeField(),
    )
    reached = contacted & Q(first_contact_at__lt=F("started_at") + HORIZON)
    rows = cohort.order_by().annotate(minute=_minutes(until)).values("minute")
    rows = rows.annotate(events=Count("pk", filter=reached), all=Count("pk"))
    counts = rows.values_list("minute", "events", "all")
    return kaplan_meier((float(minute), events, n - events) for minute, events, n in counts)


def _minutes(until: Case) -> Least:
    """Whole minutes from the start; those who are watched for longer have HORIZON."""
    waited = Extract(until - F("started_at"), "epoch") / Value(MINUTE)
    most = Value(int(HORIZON.total_seconds()) // MINUTE)
    whole = Greatest(Floor(waited), Value(0), output_field=IntegerField())
    return Least(whole, most, output_field=IntegerField())
