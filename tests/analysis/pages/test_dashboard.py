import io

import pytest
from pypdf import PdfReader

from analysis import phrases
from analysis.fold import fold_all
from analysis.pages.files import FORMS
from tests.analysis.pages.test_closure import csv_tables, said, sheets
from tests.analysis.rows import answer, at, detractor

ADDRESS = "/admin/dashboard/"
MARCH = {"month": "2026-03"}


@pytest.fixture
def reader(client, product):
    client.force_login(product)
    return client


@pytest.fixture
def two_months(nps):
    for when, promoters in (("2026-02-10 09:00", 60), ("2026-03-10 09:00", 54)):
        for score in [10] * promoters + [0] * (100 - promoters):
            answer(nps, at(when), score, segment="Retail")
    detractor(nps, at("2026-03-10 09:00"), segment="Retail")
    fold_all()


def test_each_figure_says_how_it_has_moved_and_what_the_goal_is(reader, two_months):
    text = said(reader.get(ADDRESS, MARCH).text)
    assert "+7 (−12 to +26)" in text
    assert "Down 13 since the month before, inside the noise of ±27" in text
    assert "0 of 1 (0–79 %)" in text
    assert "Goal 95 %" in text
    assert "Goal 0" in text


def test_all_forms_say_the_same(reader, two_months):
    tables = reader.get(ADDRESS + "report.json", MARCH).json()["tables"]
    assert sheets(reader.get(ADDRESS + "report.xlsx", MARCH)) == tables
    in_csv = csv_tables(reader.get(ADDRESS + "report.csv", MARCH))
    assert in_csv["segment"][0]["nps"] == str(tables["segment"][0]["nps"])
    pdf = PdfReader(io.BytesIO(reader.get(ADDRESS + "report.pdf", MARCH).content))
    text = said("".join(one.extract_text() for one in pdf.pages)).replace(" ", "")
    document = reader.get(ADDRESS, MARCH).context["document"]
    words = [cell.words for table in document.tables for row in table.shown for _, cell in row]
    assert [one for one in words if said(one).replace(" ", "") not in text] == []


def test_weeks_and_a_wrong_wish(reader, two_months):
    text = said(reader.get(ADDRESS, {**MARCH, "by": "week"}).text)
    assert "The last twelve weeks" in text
    assert "There is no such by" in reader.get(ADDRESS, {"by": "fortnight"}).text


def test_an_empty_house_says_so(reader):
    text = reader.get(ADDRESS).text.replace(phrases.NBSP, " ")
    assert "Nothing was asked or answered" in text
    assert "No CSAT survey was answered" in text
    for form in FORMS:
        assert reader.get(f"{ADDRESS}report.{form}").status_code == 200
