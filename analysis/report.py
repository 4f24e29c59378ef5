"""The monthly figures: closure of detractors, scores and response rates, for whoever shows them.

Every figure comes from the rollups, so the number of queries does not grow with the rows, the
months or the surveys, nor their time with the answers.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db.models import Count, Q

from analysis import counts
from analysis.counts import BANDS, NOBODY, Bands, Scope
from analysis.measures.closure import Closure
from analysis.measures.clusters import Moments
from analysis.measures.response_rate import response_rate
from analysis.measures.scores import Score, measure
from analysis.measures.suppression import MINIMUM_N
from analysis.months import Month
from surveys.models import DEADLINE, Response, Survey

MONTHS = 12
ANONYMOUS = Response.Source.ANONYMOUS
ANY = Q()
SurveyMonth = tuple[Month, int]


@dataclass(frozen=True)
class Filters:
    """What to look at; empty means everything. `month` None means `newest_month`."""

    month: Month | None = None
    survey: int | None = None
    product: str = ""
    segment: str = ""
    region: str = ""

    def scope(self, first: Month, last: Month) -> Scope:
        """From the first of these months to the end of the last."""
        end = last.plus(1).first_day
        return Scope(first.first_day, end, self.survey, self.product, self.segment, self.region)


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
    accounts: Moments | None = None  # that those customers belong to
    hidden: frozenset[bool] = (
        frozenset()
    )  # of known (False) and anonymous (True) answers: the score

    @property
    def score(self) -> Score:
        """NPS in -100..+100, CSAT and CES in 0..1; n alone where n is below MINIMUM_N, or where
        it would tell what fewer said in another segment, product or region."""
        found = measure(self.survey.kind, self.bands, self.accounts)
        return only_n(found) if False in self.hidden else enough(found)

    @property
    def anonymous_score(self) -> Score:
        """The same of anonymous answers, which nobody was chosen to give: it stands apart."""
        found = measure(self.survey.kind, self.anonymous)
        return only_n(found) if True in self.hidden else enough(found)

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
    return score if score.n >= MINIMUM_N else only_n(score)


def only_n(score: Score) -> Score:
    return Score(None, None, None, score.n)


def figures(filters: Filters, now: datetime) -> Figures:
    """The figures of the chosen month and of the eleven before it, as they stand at `now`."""
    months = (filters.month or newest_month(now)).last(MONTHS)
    scope = filters.scope(months[0], months[-1])
    closures = {_month(day): one for (day,), one in counts.closures(scope, now, "month").items()}
    answers = counts.answers(scope, "month", "survey")
    no_task, found = _no_task(answers), _surveys(scope, answers)
    return Figures(
        filters,
        now,
        tuple(
            MonthFigures(
                month,
                closures.get(month, Closure()),
                no_task.get(month, NoTask()),
                tuple(rows.get(month, SurveyFigures(survey)) for survey, rows in found.items()),
            )
            for month in months
        ),
    )


def _surveys(scope: Scope, answers: list[dict]) -> dict[Survey, dict[Month, SurveyFigures]]:
    """By survey in the order of their names, and by month."""
    bands, asked = _bands(answers), _asked(scope)
    known = {key: both[False] for key, both in bands.items()}
    seen = {survey for _, survey in {**bands, **asked}}
    accounts = counts.moments(scope, list(seen), known) if known else {}
    hidden = counts.hidden_cells(scope, "month")
    surveys = Survey.objects.filter(pk__in=seen).order_by("name") if seen else ()
    found: dict[Survey, dict[Month, SurveyFigures]] = {survey: {} for survey in surveys}
    for survey, rows in found.items():
        for month, key in ((key[0], key) for key in {**bands, **asked} if key[1] == survey.pk):
            rows[month] = SurveyFigures(
                survey,
                *bands.get(key, (NOBODY, NOBODY)),
                asked.get(key, Asked()),
                accounts.get(key),
                frozenset(of for of in (False, True) if (month.first_day, survey.pk, of) in hidden),
            )
    return found


def _bands(rows: list[dict]) -> dict[SurveyMonth, tuple[Bands, Bands]]:
    """Of customers we know, and of anonymous answers."""
    found = defaultdict(lambda: ([0, 0, 0], [0, 0, 0]))
    for row in rows:
        sums = found[_month(row["month"]), row["survey"]][row["source"] == ANONYMOUS]
        for place, band in enumerate(BANDS):
            sums[place] += row[band]
    return {key: (tuple(known), tuple(nobody)) for key, (known, nobody) in found.items()}


def _asked(scope: Scope) -> dict[SurveyMonth, Asked]:
    rows = counts.asked(scope, "month", "survey")
    return {(_month(row.pop("month")), row.pop("survey")): Asked(**row) for row in rows}


def _no_task(rows: list[dict]) -> dict[Month, NoTask]:
    found: dict[Month, Counter[str]] = defaultdict(Counter)
    for row in rows:
        found[_month(row["month"])][row["source"]] += row["no_task"]
    return {month: NoTask(**sums) for month, sums in found.items()}


def _month(first: date) -> Month:
    return Month(first.year, first.month)


def count_bands(path: str = "band", rule: Q = ANY, prefix: str = "") -> dict[str, Count]:
    """One count for each band, found at `path`, of the rows that `rule` holds for."""
    return {f"{prefix}{band}": Count("pk", filter=rule & Q(**{path: band})) for band in BANDS}
