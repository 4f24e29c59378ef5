import pytest

from analysis.measures.closure import Closure
from analysis.months import Month
from analysis.pages import shown
from analysis.report import Asked, Figures, Filters, MonthFigures, NoTask, SurveyFigures
from surveys.models import Survey
from tests.analysis.rows import at

MARCH = Month(2026, 3)


def found(*months):
    return Figures(Filters(), at("2026-03-20 12:00"), months)


@pytest.mark.parametrize(
    ("closure", "look"),
    [
        (Closure(not_yet_due_open=3), "apart"),
        (Closure(contacted_in_time=95, late=5), "good"),
        (Closure(contacted_in_time=94, late=6), "fair"),
        (Closure(contacted_in_time=50, overdue=50), "bad"),
    ],
)
def test_the_verdict_looks_at_the_goal_and_the_interval(closure, look):
    assert shown.verdict(closure)[0] == look


def test_every_group_is_shown_with_its_count():
    closure = Closure(1, 2, 3, 4, 5, 6)
    assert [part.n for part in shown.parts(closure)] == ["1", "2", "3", "4", "5", "6"]


def test_only_those_without_a_task_that_there_are_are_shown():
    assert shown.no_task(NoTask()) == []
    parts = shown.no_task(NoTask(imported=1200, invited=1))
    assert [(part.name, part.n) for part in parts] == [
        ("Imported", "1,200"),
        ("Customer unknown", "1"),
    ]


def test_there_is_no_chart_of_nothing():
    row = SurveyFigures(Survey(name="Support", kind="csat"))
    assert shown.closure_chart(found(MonthFigures(MARCH))) == ""
    assert shown.score_chart(found(MonthFigures(MARCH, surveys=(row,)))) == ""


def test_the_charts_show_months_and_scores():
    row = SurveyFigures(Survey(name="Support", kind="csat"), (8, 1, 1))
    months = found(MonthFigures(MARCH, Closure(contacted_in_time=12), surveys=(row,)))
    assert "Mar 26" in shown.closure_chart(months)
    assert "Support: score by month" in shown.score_chart(months)
    two = found(MonthFigures(MARCH, surveys=(row, row)))
    assert shown.score_chart(two) == ""


def test_a_row_of_the_table_says_what_the_figures_say():
    row = SurveyFigures(Survey(name="NPS", kind="nps"), (6, 2, 2), asked=Asked(40, 10))
    month = MonthFigures(MARCH, Closure(3, 1), NoTask(1, 2, 3), (row, row))
    assert shown.month_row(month) == {
        "month": "March 2026",
        "rate": "3 of 4 (30–95\u00a0%)",
        "responses": "20 of 80 (25\u00a0%, 17–35\u00a0%)",
        "in_time": "3",
        "late": "1",
        "overdue": "0",
        "due_contacted": "0",
        "due_open": "0",
        "withdrawn": "0",
        "no_task": "6",
    }
    [line] = shown.survey_rows(row)
    assert line == {
        "survey": "NPS",
        "apart": "",
        "kind": "NPS",
        "score": "+40",
        "span": "−13 to +74",
        "n": "10",
        "responses": "10 of 40 (25\u00a0%, 14–40\u00a0%)",
        "by_link": "",
    }


def test_links_and_open_links_are_told_apart():
    asked = Asked(invited=40, answered=10, by_link=10, by_link_answered=5)
    row = SurveyFigures(Survey(name="NPS", kind="nps"), (6, 2, 2), (0, 0, 12), asked)
    known, anonymous = shown.survey_rows(row)
    assert (known["score"], known["n"], known["apart"]) == ("+40", "10", "")
    assert known["by_link"] == "5 of 10 (50\u00a0%, 24–76\u00a0%)"
    assert (anonymous["score"], anonymous["n"]) == ("−100", "12")
    assert (anonymous["apart"], anonymous["responses"]) == ("open links", "–")
