"""One report in all its forms: the page, the PDF, the spreadsheet, the CSV and the JSON file."""

import csv
import io
import zipfile

import pytest
from django.utils import timezone
from openpyxl import load_workbook
from pypdf import PdfReader

from analysis import phrases
from analysis.fold import fold_all
from analysis.pages.files import FORMS
from surveys.models import OutreachTask
from tests.analysis.rows import at, detractor

DAY = at("2026-03-05 09:00")
ADDRESS = "/admin/closure/"
HOSTILE = "=HYPERLINK(1)<script>alert(1)</script>"
TYPED = "#panic() $x$ *bold* @ref \\ <b>"


@pytest.fixture
def reader(client, manager):
    client.force_login(manager)
    return client


@pytest.fixture
def month(nps, alice):
    for contacted in [5] * 37 + [80] + [None] * 3:
        detractor(nps, DAY, contacted, segment=HOSTILE)
    for contacted in [5] * 3 + [None]:
        detractor(nps, DAY, contacted, segment=TYPED)
    OutreachTask.objects.update(owner=alice)
    fold_all()


def got(reader, form="", **filters):
    response = reader.get(
        ADDRESS + (f"report.{form}" if form else ""), {"month": "2026-03", **filters}
    )
    assert response.status_code == 200
    return response


def said(text: str) -> str:
    """Without the breaks that a line or a space that must not break put in."""
    return " ".join(text.replace(phrases.NBSP, " ").split())


def csv_tables(response) -> dict[str, list[dict]]:
    files = zipfile.ZipFile(io.BytesIO(response.content))
    return {
        name.removesuffix(".csv"): list(
            csv.DictReader(io.StringIO(files.read(name).decode("utf-8-sig"), newline=""))
        )
        for name in files.namelist()
    }


def sheets(response) -> dict[str, list[dict]]:
    book = load_workbook(io.BytesIO(response.content))
    found = {}
    for sheet in book:
        head, *rows = sheet.iter_rows(values_only=True)
        found[sheet.title] = [dict(zip(head, row, strict=True)) for row in rows]
    return found


def test_the_figures_of_all_files_are_the_same_to_the_last_digit(reader, month):
    tables = got(reader, "json", recovered=1).json()["tables"]
    assert set(tables) >= {"month", "owner", "team", "segment", "tier", "region", "survey"}
    assert sheets(got(reader, "xlsx", recovered=1)) == tables
    in_csv = csv_tables(got(reader, "csv", recovered=1))
    assert set(in_csv) == set(tables)
    for name, rows in tables.items():
        written = [{k: "" if v is None else str(v) for k, v in row.items()} for row in rows]
        assert [{k: v.lstrip("'") for k, v in row.items()} for row in in_csv[name]] == written


def test_the_pdf_says_what_the_page_says(reader, month):
    page = got(reader, recovered=1)
    pdf = PdfReader(io.BytesIO(got(reader, "pdf", recovered=1).content))
    text = said(" ".join(one.extract_text() for one in pdf.pages)).replace(" ", "")
    document = page.context["document"]
    words = [cell.words for table in document.tables for row in table.shown for _, cell in row]
    assert len(words) > 100
    missing = [one for one in words if said(one).replace(" ", "") not in text]
    assert missing == []
    assert all(said(one.words).replace(" ", "") in text for one in document.figures)


def test_a_file_that_says_something_else_would_be_found(reader, month):
    """The control."""
    tables = got(reader, "json").json()["tables"]
    detractor(OutreachTask.objects.first().response.survey, DAY)
    fold_all()
    assert sheets(got(reader, "xlsx")) != tables


def test_the_page_shows_counts_intervals_and_percentages_from_ten(reader, month):
    text = said(got(reader).text)
    assert "40 of 45 (88 %, 77–95 %)" in text
    assert "37 of 41 (90 %, 77–96 %)" in text
    assert "3 of 4 (30–95 %)" in text
    assert "75 %" not in text


def test_words_of_others_are_texts_in_every_form(reader, month):
    text = got(reader).text
    assert "<script>alert" not in text
    assert "=HYPERLINK(1)&lt;script&gt;" in text
    book = load_workbook(io.BytesIO(got(reader, "xlsx").content))
    assert {cell.data_type for cell in book["segment"]["A"]} == {"s"}
    cells = [row["segment"] for row in csv_tables(got(reader, "csv"))["segment"]]
    assert sorted(cells) == sorted(["'" + HOSTILE, TYPED])
    pdf = PdfReader(io.BytesIO(got(reader, "pdf").content))
    in_pdf = "".join(one.extract_text() for one in pdf.pages).replace("\n", "").replace(" ", "")
    assert TYPED.replace(" ", "") in in_pdf
    assert HOSTILE in in_pdf


def test_colleagues_are_named_to_those_who_see_tasks_only(reader, client, product, month):
    assert "By owner" in got(reader).text
    client.force_login(product)
    for form in ("", "json"):
        text = got(client, form).text
        assert "Alice" not in text
        assert "37 of 41" in said(text) or '"in_time": 37' in text


def test_an_empty_month_says_so_in_every_form(reader, db):
    assert "No detractor’s 72 hours began in this month." in got(reader).text
    assert got(reader, "json").json()["tables"]["owner"] == []
    for form in FORMS:
        assert got(reader, form).content


def test_strangers_are_sent_to_the_log_in(client, db):
    for path in ("", *(f"report.{form}" for form in FORMS)):
        assert client.get(ADDRESS + path).status_code == 302
    assert client.get(ADDRESS + "report.exe").status_code == 302  # the admin knows no such page


def test_it_says_of_what_moment_the_counts_are(reader, db):
    before = timezone.now().replace(microsecond=0)
    assert got(reader).context["document"].as_of >= before
