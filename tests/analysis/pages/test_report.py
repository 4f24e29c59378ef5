import csv
import io
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from analysis import phrases
from analysis.fold import fold_all
from analysis.months import Month
from surveys.models import Kind
from tests.analysis.rows import answer, at, detractor
from tests.conftest import survey_of

DAY = at("2026-03-05 09:00")
ADDRESS = "/admin/report/"
QUERIES = 11  # session, user, surveys, what to filter by, how new it is, and the report's six


@pytest.fixture
def reader(client, product):
    client.force_login(product)
    return client


def page(reader, **filters) -> str:
    fold_all()
    response = reader.get(ADDRESS, filters)
    assert response.status_code == 200
    return response.text.replace(phrases.NBSP, " ")


def lines(response) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(response.text.removeprefix("\ufeff"), newline="")))


def test_the_figure_of_the_month_comes_first_with_its_goal(reader, nps):
    for contacted in [5] * 37 + [80] + [None] * 3:
        detractor(nps, DAY, contacted)
    text = page(reader, month="2026-03")
    assert "37 of 41 (90 %, 77–96 %)" in text
    assert "Goal 95 %." in text
    assert text.index("37 of 41") < text.index("<table")
    assert text.count("<svg") >= 2  # wide and narrow


def test_nobody_is_named(reader, nps, customer):
    detractor(nps, DAY, None, customer=customer, comment="Call Ines Okafor")
    text = page(reader, month="2026-03")
    assert "0 of 1" in text
    for secret in (customer.name, customer.email, customer.account.name):
        assert secret not in text


def test_an_empty_house_says_what_to_do_next(reader):
    text = page(reader)
    assert "none due" in text
    assert "launch a wave" in text
    assert "No survey was sent or answered" in text


def test_filters_are_offered_and_applied(reader, nps):
    other = survey_of(Kind.CSAT, name="Support")
    detractor(nps, DAY, 5, product="App", segment="Retail")
    detractor(other, DAY, None, score=1, product="Web", segment="Public")
    text = page(reader, month="2026-03", survey=nps.pk, product="App", segment="Retail")
    assert "1 of 1" in text
    for offered in ("Support", "Web", "Public"):
        assert f">{offered}</option>" in text
    assert "0 of 1" in page(reader, month="2026-03", segment="Public")


@pytest.mark.parametrize("name", ["month", "survey", "product", "segment"])
@pytest.mark.parametrize(
    "wish", ["nonsense", "\0", "9" * 5000, "-1", "2999-01", "<script>alert(1)</script>", "%00", "٣"]
)
def test_a_wrong_wish_is_left_out_and_said_so(reader, nps, name, wish):
    detractor(nps, timezone.now() - timedelta(hours=100), 5)
    text = page(reader, **{name: wish})
    assert f"There is no such {name}, so that filter was left out." in text
    assert "alert(1)" not in text
    assert "1 of 1" in text


def test_an_older_month_can_be_asked_for_by_its_address(reader, nps):
    old = Month.of(timezone.now()).plus(-60)
    detractor(nps, old.start + timedelta(days=3), 5)
    text = page(reader, month=str(old))
    assert "no such month" not in text
    assert "1 of 1" in text


def test_the_names_of_surveys_are_text(reader):
    detractor(survey_of(Kind.NPS, name="<b>Bold</b>"), DAY, 5)
    text = page(reader, month="2026-03")
    assert "<b>Bold</b>" not in text
    assert "<bdi>&lt;b&gt;Bold&lt;/b&gt;</bdi>" in text


def test_the_figures_of_the_file_are_those_of_the_page(reader, nps):
    for contacted in [5] * 9 + [80, None]:
        detractor(nps, DAY, contacted)
    answer(nps, DAY, 2)
    fold_all()
    rows = lines(reader.get(reverse("analysis:closure-csv"), {"month": "2026-03"}))
    assert len(rows) == 12
    assert rows[-1] == {
        "month": "2026-03",
        "in_time": "9",
        "late": "1",
        "overdue": "1",
        "rate": "0.8182",
        "rate_low": "0.523",
        "rate_high": "0.9486",
        "not_yet_due_contacted": "0",
        "not_yet_due_open": "0",
        "withdrawn": "0",
        "imported": "1",
        "anonymous": "0",
        "customer_unknown": "0",
        "invited": "11",
        "answered": "11",
        "invited_by_link": "0",
        "answered_by_link": "0",
    }
    assert "9 of 11 (81 %, 52–95 %)" in page(reader, month="2026-03")


def test_a_survey_named_like_a_formula_runs_nothing(reader):
    survey = survey_of(Kind.NPS, name="=HYPERLINK(1)")
    for _ in range(10):
        answer(survey, DAY, 0)
    fold_all()
    row = lines(reader.get(reverse("analysis:scores-csv"), {"month": "2026-03"}))[-1]
    assert (row["survey"], row["kind"], row["n"]) == ("'=HYPERLINK(1)", "nps", "10")
    assert row["score"] == "-100.0"


@pytest.mark.parametrize("rows", [1, 3])
def test_queries_do_not_grow(reader, rows, django_assert_num_queries):
    for number in range(rows):
        survey = survey_of(Kind.NPS, name=f"Survey {number}")
        for month in range(rows):
            detractor(survey, DAY - timedelta(days=31 * month), product=f"P{number}")
    fold_all()
    with django_assert_num_queries(QUERIES):
        assert reader.get(ADDRESS, {"month": "2026-03"}).status_code == 200
