"""The monthly figures: closure of detractors, scores and response rates, for whoever shows them.

Every figure is a count by PostgreSQL per month, so the number of queries does not grow with the
rows, the months or the surveys.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import CharField, Count, Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Coalesce, NullIf

from analysis.measures.closure import Closure
from analysis.measures.response_rate import response_rate
from analysis.measures.scores import Score, measure
from analysis.months import Month, month_of, within
from surveys.models import (
    DEADLINE,
    Band,
    Channel,
    Invitation,
    Message,
    OutreachTask,
    Response,
    Survey,
)

MONTHS = 12
MINIMUM_N = 10  # answers; a score of fewer says more about single customers than about us
BANDS = (Band.PROMOTER, Band.PASSIVE, Band.DETRACTOR)
Bands = tuple[int, int, int]  # answers in each of BANDS
NOBODY: Bands = (0, 0, 0)
ANY = Q()


@dataclass(frozen=True)
class Filters:
    """What to look at; empty means everything. `month` None means `newest_month`."""

    month: Month | None = None
    survey: int | None = None
    product: str = ""
    segment: str = ""


@dataclass(frozen=True)
class Asked:
    """The invitations of a month, and those of them that were answered, however late."""

    invited: int = 0  # by a mail that went out, or by a link that was handed over
    answered: int = 0
    by_link: int = 0  # of the invited, those whom nobody mailed
    by_link_answered: int = 0

    def __add__(self, other: Asked) -> Asked:
        return Asked(
            self.invited + other.invited,
            self.answered + other.answered,
            self.by_link + other.by_link,
            self.by_link_answered + other.by_link_answered,
        )

    @property
    def rate(self) -> Score:
        return response_rate(self.answered, self.invited)

    @property
    def link_rate(self) -> Score:
        return response_rate(self.by_link_answered, self.by_link)


@dataclass(frozen=True)
class SurveyFigures:
    """One survey in one month."""

    survey: Survey
    bands: Bands = NOBODY  # of customers we know
    anonymous: Bands = NOBODY  # of whoever came by an open link
    asked: Asked = Asked()

    @property
    def score(self) -> Score:
        """NPS in -100..+100, CSAT and CES in 0..1; with n alone where n is below MINIMUM_N."""
        return enough(measure(self.survey.kind, self.bands))

    @property
    def anonymous_score(self) -> Score:
        """The same of anonymous answers, which nobody was chosen to give: it stands apart."""
        return enough(measure(self.survey.kind, self.anonymous))

    @property
    def response_rate(self) -> Score:
        return self.asked.rate


@dataclass(frozen=True)
class NoTask:
    """Detractors that open no task, by the month of their answer."""

    imported: int = 0
    anonymous: int = 0
    invited: int = 0  # asked by us, but whom to call is not known any more


@dataclass(frozen=True)
class MonthFigures:
    month: Month
    closure: Closure = field(default_factory=Closure)  # tasks by the month their 72 h began
    no_task: NoTask = field(default_factory=NoTask)
    surveys: tuple[SurveyFigures, ...] = ()

    @property
    def asked(self) -> Asked:
        return sum((row.asked for row in self.surveys), Asked())

    @property
    def response_rate(self) -> Score:
        return self.asked.rate


@dataclass(frozen=True)
class Figures:
    """Twelve months, the chosen one last; every month holds the same surveys in the same order."""

    filters: Filters
    as_of: datetime
    months: tuple[MonthFigures, ...]

    @property
    def chosen(self) -> MonthFigures:
        return self.months[-1]

    @property
    def surveys(self) -> list[Survey]:
        return [row.survey for row in self.chosen.surveys]


def newest_month(now: datetime) -> Month:
    """The newest month of which some 72 hours can have elapsed."""
    return Month.of(now - DEADLINE)


def enough(score: Score) -> Score:
    """The score, or only its n where that is too small to be shown."""
    return score if score.n >= MINIMUM_N else Score(None, None, None, score.n)


def figures(filters: Filters, now: datetime) -> Figures:
    """The figures of the chosen month and of the eleven before it, as they stand at `now`."""
    months = (filters.month or newest_month(now)).last(MONTHS)
    closures = _closures(filters, months, now)
    no_task = _detractors_without_task(filters, months)
    bands, asked = _bands(filters, months), _asked(filters, months)
    seen = {survey for _, survey in {**bands, **asked}}
    surveys = Survey.objects.filter(pk__in=seen).order_by("name") if seen else []
    rows = [
        MonthFigures(
            month,
            closures.get(month, Closure()),
            NoTask(**no_task[month]),
            tuple(_survey_figures(survey, month, bands, asked) for survey in surveys),
        )
        for month in months
    ]
    return Figures(filters, now, tuple(rows))


def _survey_figures(survey: Survey, month: Month, bands: dict, asked: dict) -> SurveyFigures:
    key = (month, survey.pk)
    return SurveyFigures(survey, *bands.get(key, (NOBODY, NOBODY)), asked.get(key, Asked()))


def _closures(filters: Filters, months: Sequence[Month], now: datetime) -> dict[Month, Closure]:
    tasks = OutreachTask.objects.filter(cause=OutreachTask.Cause.DETRACTOR)
    tasks = _narrow(tasks.filter(**within("started_at", months)), filters, "response__")
    groups = {name: Count("pk", filter=rule) for name, rule in closure_groups(now).items()}
    rows = _by(tasks, "started_at").annotate(**groups)
    return {Month.of(row.pop("month")): Closure(**row) for row in rows.values("month", *groups)}


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


def _detractors_without_task(
    filters: Filters, months: Sequence[Month]
) -> dict[Month, dict[str, int]]:
    detractors = Response.objects.counted().filter(band=Band.DETRACTOR, task=None)
    detractors = _narrow(detractors.filter(**within("answered_at", months)), filters)
    found: dict[Month, dict[str, int]] = defaultdict(dict)
    for row in _by(detractors, "answered_at", "source").annotate(n=Count("pk")):
        found[Month.of(row["month"])][row["source"]] = row["n"]
    return found


def _bands(
    filters: Filters, months: Sequence[Month]
) -> dict[tuple[Month, int], tuple[Bands, Bands]]:
    """Of customers we know, and of anonymous answers."""
    scored = Response.objects.counted().exclude(band="").filter(**within("answered_at", months))
    is_anonymous = Q(source=Response.Source.ANONYMOUS)
    known = count_bands(rule=~is_anonymous)
    anonymous = count_bands(rule=is_anonymous, prefix="anonymous_")
    rows = _by(_narrow(scored, filters), "answered_at", "survey").annotate(**known, **anonymous)
    return {
        (Month.of(row["month"]), row["survey"]): (
            tuple(row[name] for name in known),
            tuple(row[name] for name in anonymous),
        )
        for row in rows
    }


def count_bands(path: str = "band", rule: Q = ANY, prefix: str = "") -> dict[str, Count]:
    """One count for each band, found at `path`, of the rows that `rule` holds for."""
    return {f"{prefix}{band}": Count("pk", filter=rule & Q(**{path: band})) for band in BANDS}


def _asked(filters: Filters, months: Sequence[Month]) -> dict[tuple[Month, int], Asked]:
    """Invitations that went out or were handed over, and those answered by a person, by the month
    of the invitation.

    One that was answered reached its customer, whatever became of its record.
    """
    went_out = Message.objects.filter(invitation=OuterRef("pk"), state=Message.State.SENT)
    asked = Invitation.objects.filter(
        Exists(went_out) | Q(link_given_at__isnull=False) | Q(response__isnull=False),
        decision=Invitation.Decision.ASK,
        **within("created_at", months),
    )
    if filters.segment:  # the day's own once there is an answer, until then today's
        own = NullIf("customer__segment", Value(""), output_field=CharField())
        then = NullIf("response__segment", Value(""), output_field=CharField())
        asked = asked.annotate(segment=Coalesce(then, own, "customer__account__segment"))
    by_person = Q(response__verdict=Response.Verdict.PERSON)
    rows = _by(_narrow(asked, filters), "created_at", "survey")
    by_link = Q(channel=Channel.LINK)
    rows = rows.annotate(
        invited=Count("pk"),
        answered=Count("pk", filter=by_person),
        by_link=Count("pk", filter=by_link),
        by_link_answered=Count("pk", filter=by_link & by_person),
    )
    return {(Month.of(row.pop("month")), row.pop("survey")): Asked(**row) for row in rows}


def _narrow(rows: QuerySet, filters: Filters, path: str = "") -> QuerySet:
    wanted = {"survey": filters.survey, "product": filters.product, "segment": filters.segment}
    return rows.filter(**{f"{path}{name}": value for name, value in wanted.items() if value})


def _by(rows: QuerySet, moment: str, *names: str) -> QuerySet:
    """Group by the month of `moment` and by the named columns."""
    return rows.order_by().annotate(month=month_of(moment)).values("month", *names)
