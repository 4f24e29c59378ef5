"""A report as a file: CSV, XLSX, JSON and PDF, each with the figures of the page."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from typing import Any

from django.http import HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.formats import date_format

from analysis.pages.document import Cell, Column, Document, Table
from surveys.exports import csv_file

LONGEST = 60  # seconds that a PDF may take
PICTURE = re.compile(r"<svg.*?</svg>", re.DOTALL)  # the wide one comes first
SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def as_csv(document: Document) -> HttpResponse:
    """One file for each table, in a zip."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as files:
        for table in document.tables:
            columns = " ".join(column.name for column in table.columns)
            content = csv_file(table.name, columns, _values(table)).content
            files.writestr(f"{table.name}.csv", content)
    return _download(packed.getvalue(), "application/zip", f"{document.name}.zip")


def as_json(document: Document) -> JsonResponse:
    """Tables as lists of objects; shares in 0..1, NPS in -100..+100, times in hours."""
    names = {table.name: [column.name for column in table.columns] for table in document.tables}
    body = {
        "report": document.title,
        "of": document.subtitle,
        "as_of": document.as_of.isoformat(timespec="seconds"),
        "tables": {
            table.name: [dict(zip(names[table.name], row, strict=True)) for row in _values(table)]
            for table in document.tables
        },
    }
    named = f'attachment; filename="{document.name}.json"'
    return JsonResponse(body, headers={"Content-Disposition": named})


def as_xlsx(document: Document) -> HttpResponse:
    """A sheet for each table. Texts are texts, whatever they begin with."""
    from xlsxwriter import Workbook  # loaded by those who ask for a spreadsheet

    file = io.BytesIO()
    with Workbook(file, {"in_memory": True}) as book:
        bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        for table in document.tables:
            sheet = book.add_worksheet(table.name[:31])
            sheet.write_row(0, 0, [column.name for column in table.columns], bold)
            for number, row in enumerate(_values(table), start=1):
                for place, value in enumerate(row):
                    _write(sheet, number, place, value)
            sheet.freeze_panes(1, 1)
            sheet.autofit()
    return _download(file.getvalue(), SHEET, f"{document.name}.xlsx")


def _write(sheet: Any, row: int, place: int, value: object) -> None:
    if isinstance(value, str):
        sheet.write_string(row, place, value)
    elif value is not None:
        sheet.write_number(row, place, value)


def as_pdf(document: Document) -> HttpResponse:
    """Typeset in a process of its own, so that the web process stays small."""
    done = subprocess.run(
        [sys.executable, "-m", "analysis.typeset"],
        input=json.dumps(_plain(document)).encode(),
        capture_output=True,
        timeout=LONGEST,
        check=True,
    )
    return _download(done.stdout, "application/pdf", f"{document.name}.pdf")


FORMS: dict[str, Callable[[Document], HttpResponse]] = {
    "csv": as_csv,
    "json": as_json,
    "pdf": as_pdf,
    "xlsx": as_xlsx,
}


def _values(table: Table) -> list[list[object]]:
    return [[cell.value for cell in row] for row in table.rows]


def _plain(document: Document) -> dict[str, object]:
    """What the typesetter needs to know."""
    return {
        "title": document.title,
        "subtitle": document.subtitle,
        "as_of": date_format(timezone.localtime(document.as_of), "DATETIME_FORMAT"),
        "figures": [vars(figure) for figure in document.figures],
        "explained": list(document.explained),
        "tables": [_plain_table(table) for table in document.tables],
    }


def _plain_table(table: Table) -> dict[str, object]:
    def head(column: Column) -> dict[str, object]:
        return {"head": column.head, "is_number": column.is_number}

    def words(row: list[tuple[Column, Cell]]) -> list[str]:
        return [cell.words for _, cell in row]

    return {
        "title": table.title,
        "note": table.note,
        "empty": table.empty,
        "heads": [head(column) for column in table.heads],
        "rows": [words(row) for row in table.shown],
        "chart": found[0] if (found := PICTURE.search(table.chart)) else "",
    }


def _download(content: bytes, content_type: str, name: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(content, content_type=content_type, headers=headers)
