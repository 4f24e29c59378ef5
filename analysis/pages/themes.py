"""The theme page: what customers write about, and what it does to the score."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from analysis import charts, phrases
from analysis.pages.door import for_readers_of_reports, framed
from analysis.pages.filters import FilterForm, theme_filters
from analysis.report import MINIMUM_N
from analysis.themes_report import ThemeFigures, ThemesReport, themes
from surveys.exports import csv_file

CHARTED = 10
COLUMNS = (
    "survey month product theme keywords comments share share_low share_high change change_low "
    "change_high n score score_low score_high impact quote_1 quote_2 quote_3 newest_quote"
)


@for_readers_of_reports
def page(request: HttpRequest) -> HttpResponse:
    form, found = _report(request)
    context = {"title": "Themes", "form": form, "query": request.GET.urlencode()}
    if found is not None:
        context |= _shown(found)
    return framed(request, "analysis/themes.html", context)


@for_readers_of_reports
def themes_csv(request: HttpRequest) -> HttpResponse:
    """One line a theme; shares, changes, CSAT and CES in 0..1, NPS in -100..+100."""
    _, found = _report(request)
    lines = [_line(found, row) for row in found.themes] if found else []
    return csv_file("themes", COLUMNS, lines)


def _report(request: HttpRequest) -> tuple[FilterForm, ThemesReport | None]:
    form, survey, month = theme_filters(request, timezone.now())
    return form, themes(survey, month, form.chosen["product"]) if survey else None


def _shown(found: ThemesReport) -> dict[str, object]:
    coverage, kind = found.coverage, found.survey.kind
    return {
        "found": found,
        "month": phrases.month_name(found.month),
        "before": phrases.month_name(found.month.plus(-1)),
        "kind": kind.upper(),
        "score": phrases.score(kind, found.score),
        "score_span": phrases.score_span(kind, found.score),
        "n": phrases.number(found.score.n),
        "anonymous": phrases.number(found.anonymous) if found.anonymous else "",
        "coverage": phrases.rate(coverage.with_theme, coverage.share),
        "chart": _chart(found),
        "rows": [_row(kind, row) for row in found.themes],
        "minimum_n": MINIMUM_N,
    }


def _chart(found: ThemesReport) -> object:
    return charts.share_bars(
        [
            charts.Point(
                row.theme.label,
                row.share.value,
                row.share.low,
                row.share.high,
                phrases.percent(row.share.value),
                f"n {phrases.number(row.count)}",
            )
            for row in found.themes[:CHARTED]
            if row.count and row.share.value is not None
        ],
        title=f"The largest themes, {phrases.month_name(found.month)}",
    )


def _row(kind: str, row: ThemeFigures) -> dict[str, object]:
    return {
        "theme": row.theme,
        "count": phrases.number(row.count),
        "share": phrases.percent(row.share.value),
        "share_span": phrases.span(row.share.low, row.share.high),
        "score": phrases.score(kind, row.score),
        "score_span": phrases.score_span(kind, row.score),
        "n": phrases.number(row.score.n),
        "has_impact": row.impact is not None,
        "impact": phrases.points(kind, row.impact),
        "change": phrases.signed(100 * row.change.value, 1) if row.change else phrases.NONE,
        "has_change": row.change is not None,
        "is_noise": row.change is not None and row.change.is_noise,
        "quotes": row.quotes,
    }


def _line(found: ThemesReport, row: ThemeFigures) -> list[object]:
    change = [row.change.value, row.change.low, row.change.high] if row.change else [None] * 3
    typical = [quote.text for quote in row.quotes.typical]
    return [
        found.survey.name,
        str(found.month),
        found.product,
        row.theme.label,
        ", ".join(row.theme.keywords),
        row.count,
        row.share.value,
        row.share.low,
        row.share.high,
        *change,
        row.score.n,
        row.score.value,
        row.score.low,
        row.score.high,
        row.impact,
        *(typical + [""] * 3)[:3],
        row.quotes.newest.text if row.quotes.newest else "",
    ]
