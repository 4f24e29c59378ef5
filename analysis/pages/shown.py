"""The report's figures in the words, the charts and the table rows of its page."""

from __future__ import annotations

from typing import NamedTuple

from analysis import charts, phrases
from analysis.measures.closure import Closure
from analysis.measures.scores import Score
from analysis.report import Figures, MonthFigures, NoTask, SurveyFigures
from analysis.svg import Svg
from surveys.models import Kind, Survey

GOAL = phrases.percent(Closure.goal)


class Part(NamedTuple):
    """A count with its name and what it means."""

    name: str
    n: str
    meaning: str


def verdict(closure: Closure) -> tuple[str, str]:
    """How the figure looks, and what it says about the goal."""
    if closure.interval is None:
        return "apart", "No detractor with a task has had its 72 hours yet, so there is no rate."
    if closure.meets_goal:
        return "good", "The goal is met."
    if closure.interval.high >= closure.goal:
        return "fair", "Below the goal, by no more than chance may explain at this number."
    return "bad", "Below the goal, by more than chance explains."


def parts(closure: Closure) -> list[Part]:
    """The groups of the rate, and those that stand apart from it."""
    counts = [
        ("In time", closure.contacted_in_time, "reached before the deadline"),
        ("Late", closure.late, "reached after it: a miss"),
        ("Overdue", closure.overdue, "not reached, 72 h elapsed: a miss"),
        ("Not yet due, contacted", closure.not_yet_due_contacted, "enters the rate later"),
        ("Not yet due, open", closure.not_yet_due_open, "enters the rate later"),
        ("Withdrawn", closure.withdrawn, "a corrected score or a machine’s answer"),
    ]
    return [Part(name, phrases.number(n), meaning) for name, n, meaning in counts]


def no_task(found: NoTask) -> list[Part]:
    counts = [
        ("Imported", found.imported, "historic answers open no task"),
        ("Anonymous", found.anonymous, "nobody to call"),
        ("Customer unknown", found.invited, "erased since"),
    ]
    return [Part(name, phrases.number(n), meaning) for name, n, meaning in counts if n]


def closure_chart(found: Figures) -> Svg:
    if not any(month.closure.n for month in found.months):
        return Svg()
    return charts.closure_chart(
        [(phrases.short_month(row.month), row.closure) for row in found.months],
        title="Detractors contacted within 72 hours, by month",
        goal_text=f"Goal {GOAL}",
        number=phrases.number,
        percent=phrases.whole_percent,
    )


def score_chart(found: Figures) -> Svg:
    """The score month by month, where one survey alone is shown."""
    if len(found.surveys) != 1:
        return Svg()
    (survey,) = found.surveys
    points = [_score_point(row, row.surveys[0]) for row in found.months]
    if all(point.value is None for point in points):
        return Svg()
    percents = charts.percent_axis(phrases.whole_percent)
    axis = charts.NPS if survey.kind == Kind.NPS else percents
    return charts.line_chart(points, axis, title=f"{survey}: score by month")


def _score_point(month: MonthFigures, row: SurveyFigures) -> charts.Point:
    score = row.score
    return charts.Point(
        phrases.short_month(month.month),
        score.value,
        score.low,
        score.high,
        phrases.score(row.survey.kind, score),
        f"n {phrases.number(score.n)}",
    )


def month_row(row: MonthFigures) -> dict[str, str]:
    closure, apart = row.closure, row.no_task
    no_task = apart.imported + apart.anonymous + apart.invited
    shown = {
        "in_time": closure.contacted_in_time,
        "late": closure.late,
        "overdue": closure.overdue,
        "due_contacted": closure.not_yet_due_contacted,
        "due_open": closure.not_yet_due_open,
        "withdrawn": closure.withdrawn,
        "no_task": no_task,
    }
    return {
        "month": phrases.month_name(row.month),
        "rate": phrases.closure(closure),
        "responses": phrases.rate(row.asked.answered, row.response_rate),
        **{name: phrases.number(n) for name, n in shown.items()},
    }


def survey_rows(row: SurveyFigures) -> list[dict[str, str]]:
    """One for the survey, and one more for anonymous answers where there are any."""
    asked, by_link = row.asked, ""
    if asked.by_link:
        by_link = phrases.rate(asked.by_link_answered, asked.link_rate)
    said = {"responses": phrases.rate(asked.answered, asked.rate), "by_link": by_link}
    rows = [_score_row(row.survey, row.score) | said]
    if row.anonymous_score.n:
        nobody = {"responses": phrases.NONE, "by_link": "", "apart": "open links"}
        rows.append(_score_row(row.survey, row.anonymous_score) | nobody)
    return rows


def _score_row(survey: Survey, score: Score) -> dict[str, str]:
    return {
        "survey": survey.name,
        "apart": "",
        "kind": survey.kind.upper(),
        "score": phrases.score(survey.kind, score),
        "span": phrases.score_span(survey.kind, score),
        "n": phrases.number(score.n),
    }
