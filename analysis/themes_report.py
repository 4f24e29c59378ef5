"""The monthly theme report of one survey: what its comments are about, and what that does to the
score. Nothing in it names a customer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, F, FilteredRelation, Q, QuerySet

from analysis.measures.change import Change, change
from analysis.measures.impact import impact
from analysis.measures.scores import Score, measure, share
from analysis.models import Mention, Theme, ThemeState
from analysis.months import Month, month_of, within
from analysis.quotes import Quotes, quotes
from analysis.report import BANDS, MINIMUM_N, count_bands, enough
from surveys.models import Response, Survey

Bands = tuple[int, int, int]  # promoters, passives, detractors
About = dict[str, str]  # what the answers are narrowed down to, by the name of the field


@dataclass(frozen=True)
class ThemeFigures:
    """One theme in one month. Shares are of the comments that say something."""

    theme: Theme
    count: int
    share: Score
    score: Score
    impact: float | None  # in the unit of the score; None where either side is too small
    change: Change | None  # of the share since the month before, -1..+1
    quotes: Quotes


@dataclass(frozen=True)
class Coverage:
    """What became of a month's comments; the parts add up to `comments`."""

    comments: int = 0
    with_theme: int = 0
    without_theme: int = 0
    say_nothing: int = 0
    not_yet_read: int = 0

    @property
    def telling(self) -> int:
        """Comments that were read and say something: what the shares are shares of."""
        return self.with_theme + self.without_theme

    @property
    def share(self) -> Score:
        return share(self.with_theme, self.telling)


@dataclass(frozen=True)
class ThemesReport:
    survey: Survey
    month: Month
    product: str  # empty: all of them
    fitted_at: datetime | None  # None: no themes have been learnt yet
    coverage: Coverage
    score: Score  # of all answers of the month, anonymous ones too
    anonymous: int  # of them by open links
    themes: tuple[ThemeFigures, ...]  # the largest first


def themes(survey: Survey, month: Month, product: str = "") -> ThemesReport:
    """The report of one month, of the answers about `product` (empty: of all). The number of its
    queries does not grow with themes or comments."""
    months, about = (month.plus(-1), month), {"product": product} if product else {}
    coverages, counts = _coverages(survey, months, about), _counts(survey, months, about)
    everything, anonymous = _bands(survey, month, about)
    said = quotes(_mentions(survey, [month], about))
    rows = [
        _figures(survey, theme, months, counts[theme.pk], coverages, everything, said)
        for theme in Theme.objects.living().filter(survey=survey, pk__in=list(counts))
    ]
    return ThemesReport(
        survey,
        month,
        product,
        ThemeState.objects.filter(survey=survey).values_list("fitted_at", flat=True).first(),
        coverages[month],
        enough(measure(survey.kind, everything)),
        anonymous,
        tuple(sorted(rows, key=lambda row: (-row.count, row.theme.label))),
    )


def surveys_by_comments() -> QuerySet[Survey]:
    """All surveys, the one whose themes were learnt from most comments first."""
    return Survey.objects.order_by(F("theme_state__comments").desc(nulls_last=True), "name")


def newest_month_with_comments(survey: Survey, now: datetime) -> Month:
    """That of `now` for a survey without any."""
    comments = _comments(survey).filter(answered_at__lte=now).order_by("-answered_at")
    return Month.of(comments.values_list("answered_at", flat=True).first() or now)


def _figures(
    survey: Survey,
    theme: Theme,
    months: Sequence[Month],
    counts: dict[Month, dict[str, int]],
    coverages: dict[Month, Coverage],
    everything: Bands,
    said: dict[int, Quotes],
) -> ThemeFigures:
    shares = [
        enough(share(counts[month]["n"] if month in counts else 0, coverages[month].telling))
        for month in months
    ]
    now = counts.get(months[-1], dict.fromkeys(("n", *BANDS), 0))
    bands = tuple(now[band] for band in BANDS)
    return ThemeFigures(
        theme=theme,
        count=now["n"],
        share=shares[-1],
        score=enough(measure(survey.kind, bands)),
        impact=_impact(survey.kind, bands, everything),
        change=change(shares[-1], shares[0]),
        quotes=said.get(theme.pk, Quotes()),
    )


def _impact(kind: str, bands: Bands, everything: Bands) -> float | None:
    mine, whole = measure(kind, bands), measure(kind, everything)
    if min(mine.n, whole.n - mine.n) < MINIMUM_N:
        return None
    return impact(mine, whole)


def _comments(survey: Survey) -> QuerySet[Response]:
    return Response.objects.counted().filter(survey=survey).exclude(comment="")


def _coverages(survey: Survey, months: Sequence[Month], about: About) -> dict[Month, Coverage]:
    telling = Q(reading__says_nothing=False)
    rows = (
        _comments(survey)
        .filter(**within("answered_at", months), **about)
        .order_by()
        .annotate(
            main=FilteredRelation("mentions", condition=Q(mentions__is_main=True)),
            month=month_of("answered_at"),
        )
        .values("month")
        .annotate(
            comments=Count("pk"),
            with_theme=Count("pk", filter=telling & Q(main__isnull=False)),
            without_theme=Count("pk", filter=telling & Q(main__isnull=True)),
            say_nothing=Count("pk", filter=Q(reading__says_nothing=True)),
            not_yet_read=Count("pk", filter=Q(reading__isnull=True)),
        )
    )
    found = {Month.of(row.pop("month")): Coverage(**row) for row in rows}
    return {month: found.get(month, Coverage()) for month in months}


def _bands(survey: Survey, month: Month, about: About) -> tuple[Bands, int]:
    """All answers with a score, and how many of them are anonymous."""
    of_month = within("answered_at", [month])
    scored = Response.objects.counted().filter(survey=survey, **of_month, **about)
    by_open_link = Q(source=Response.Source.ANONYMOUS) & ~Q(band="")
    row = scored.aggregate(**count_bands(), anonymous=Count("pk", filter=by_open_link))
    return tuple(row[band] for band in BANDS), row["anonymous"]


def _mentions(survey: Survey, months: Sequence[Month], about: About) -> QuerySet[Mention]:
    return Mention.objects.filter(
        theme__survey=survey,
        response__verdict=Response.Verdict.PERSON,
        **within("response__answered_at", months),
        **{f"response__{name}": value for name, value in about.items()},
    ).exclude(response__comment="")


def _counts(
    survey: Survey, months: Sequence[Month], about: About
) -> dict[int, dict[Month, dict[str, int]]]:
    """By theme and month: `n` comments, and how many of them in each band."""
    rows = _mentions(survey, months, about).annotate(month=month_of("response__answered_at"))
    rows = rows.values("theme", "month").annotate(n=Count("pk"), **count_bands("response__band"))
    found: dict[int, dict[Month, dict[str, int]]] = defaultdict(dict)
    for row in rows:
        found[row["theme"]][Month.of(row["month"])] = row
    return found
