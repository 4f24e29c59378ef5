import pytest
from django.utils import translation

from analysis import phrases
from analysis.measures.closure import Closure
from analysis.measures.scores import Score, csat, nps, share
from analysis.months import Month

NOTHING = Score(None, None, None, 0)


def plain(text: str) -> str:
    return text.replace(phrases.NBSP, " ")


@pytest.mark.parametrize(
    ("closure", "said"),
    [
        (Closure(contacted_in_time=37, late=1, overdue=3), "37 of 41 (90 %, 77–96 %)"),
        (Closure(contacted_in_time=3, overdue=1), "3 of 4 (30–95 %)"),
        (Closure(contacted_in_time=949, overdue=51), "949 of 1,000 (94 %, 93–96 %)"),
        (Closure(not_yet_due_open=5, withdrawn=2), "none due"),
    ],
)
def test_the_closure_rate_is_said_with_its_counts_and_interval(closure, said):
    assert plain(phrases.closure(closure)) == said


def test_scores_are_said_in_their_own_units():
    relationship, support = nps(60, 25, 15), csat(80, 10, 10)
    assert phrases.score("nps", relationship) == "+45"
    assert phrases.score_span("nps", relationship) == "+29 to +58"
    assert plain(phrases.score("csat", support)) == "80 %"
    assert plain(phrases.score_span("csat", support)) == "71–87 %"
    assert phrases.score("nps", nps(1, 0, 9)) == "−80"
    assert (phrases.score("nps", NOTHING), phrases.score_span("nps", NOTHING)) == ("–", "")


def test_rates_changes_and_spans():
    assert plain(phrases.rate(120, share(120, 300))) == "120 of 300 (40 %, 35–46 %)"
    assert phrases.rate(0, NOTHING) == "–"
    assert phrases.points("nps", -12.34) == "−12.3"
    assert phrases.points("csat", -0.126) == "−12.6"
    assert phrases.points("nps", None) == "–"
    assert (phrases.signed(0.2), phrases.signed(-0.2)) == ("0", "0")
    assert phrases.span(None, None) == ""
    assert plain(phrases.percent(0.1234, 1)) == "12.3 %"


def test_numbers_and_dates_follow_the_language():
    assert phrases.month_name(Month(2026, 3)) == "March 2026"
    assert phrases.short_month(Month(2026, 3)) == "Mar 26"
    with translation.override("de"):
        assert phrases.month_name(Month(2026, 3)) == "März 2026"
        assert phrases.number(12345) == "12.345"
        assert phrases.points("nps", 1.5) == "+1,5"


@pytest.mark.parametrize(
    ("kind", "now", "before", "said"),
    [
        ("nps", nps(70, 20, 10), nps(30, 40, 30), "Up 60 since May, more than the noise of ±21."),
        (
            "nps",
            nps(44, 26, 30),
            nps(5_000, 2_000, 3_000),
            "Down 6 since May, inside the noise of ±16; about 667 more answers would tell.",
        ),
        ("nps", nps(44, 26, 30), nps(50, 20, 30), "Down 6 since May, inside the noise of ±24."),
        ("nps", nps(10, 10, 10), nps(10, 10, 10), "No change since May, inside the noise of ±39."),
        ("csat", share(95, 100), share(94, 100), "Up 1 point since May, inside the noise of ±7."),
        (
            "csat",
            share(60, 100),
            share(90, 100),
            "Down 30 points since May, more than the noise of ±12.",
        ),
        ("csat", share(0, 0), share(90, 100), ""),
    ],
)
def test_a_change_is_told_as_a_person_would(kind, now, before, said):
    assert phrases.moved(kind, now, before, "May") == said
