"""The report page: the figure that management steers by, and the others beside it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from analysis import phrases
from analysis.measures.scores import Score
from analysis.measures.suppression import MINIMUM_N
from analysis.pages import shown
from analysis.pages.door import for_readers_of_reports, framed
from analysis.pages.filters import report_filters
from analysis.report import Asked, MonthFigures, SurveyFigures, figures
from analysis.rollups import counted_at
from surveys.exports import csv_file

CLOSURE_COLUMNS = (
    "month in_time late overdue rate rate_low rate_high not_yet_due_contacted not_yet_due_open "
    "withdrawn imported anonymous customer_unknown invited answered invited_by_link "
    "answered_by_link"
)
SCORE_COLUMNS = (
    "month survey kind n score score_low score_high invited answered invited_by_link "
    "answered_by_link anonymous_n anonymous_score anonymous_score_low anonymous_score_high"
)


@for_readers_of_reports
def report(request: HttpRequest) -> HttpResponse:
    form, filters = report_filters(request, now := timezone.now())
    found = figures(filters, now)
    closure = found.chosen.closure
    look, verdict = shown.verdict(closure)
    context = {
        "title": "Report",
        "form": form,
        "query": request.GET.urlencode(),
        "month": phrases.month_name(found.chosen.month),
        "as_of": counted_at() or now,
        "figure": phrases.closure(closure),
        "goal": shown.GOAL,
        "look": look,
        "verdict": verdict,
        "parts": shown.parts(closure),
        "no_task": shown.no_task(found.chosen.no_task),
        "chart": shown.closure_chart(found),
        "months": [shown.month_row(row) for row in reversed(found.months)],
        "surveys": [line for row in found.chosen.surveys for line in shown.survey_rows(row)],
        "score_chart": shown.score_chart(found),
        "minimum_n": MINIMUM_N,
        "time_zone": timezone.get_default_timezone_name(),
    }
    return framed(request, "analysis/report.html", context)


@for_readers_of_reports
def closure_csv(request: HttpRequest) -> HttpResponse:
    """One line a month; shares in 0..1."""
    _, filters = report_filters(request, now := timezone.now())
    return csv_file("closure", CLOSURE_COLUMNS, map(_closure_line, figures(filters, now).months))


@for_readers_of_reports
def scores_csv(request: HttpRequest) -> HttpResponse:
    """One line a month and survey; NPS in -100..+100, CSAT and CES in 0..1."""
    _, filters = report_filters(request, now := timezone.now())
    months = figures(filters, now).months
    lines = (_score_line(month, row) for month in months for row in month.surveys)
    return csv_file("scores", SCORE_COLUMNS, lines)


def _closure_line(row: MonthFigures) -> list[object]:
    closure, apart = row.closure, row.no_task
    low, high = closure.interval or (None, None)
    return [
        str(row.month),
        closure.contacted_in_time,
        closure.late,
        closure.overdue,
        closure.rate if closure.shows_percent else None,
        low,
        high,
        closure.not_yet_due_contacted,
        closure.not_yet_due_open,
        closure.withdrawn,
        apart.imported,
        apart.anonymous,
        apart.invited,
        *_asked(row.asked),
    ]


def _score_line(month: MonthFigures, row: SurveyFigures) -> list[object]:
    return [
        str(month.month),
        row.survey.name,
        row.survey.kind,
        *_score(row.score),
        *_asked(row.asked),
        *_score(row.anonymous_score),
    ]


def _score(score: Score) -> list[object]:
    return [score.n, score.value, score.low, score.high]


def _asked(asked: Asked) -> list[object]:
    return [asked.invited, asked.answered, asked.by_link, asked.by_link_answered]
