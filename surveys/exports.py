"""Tables as CSV files that a spreadsheet opens without running anything in them."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence

from django.http import HttpResponse

# What a spreadsheet takes for the beginning of a formula (OWASP, "CSV injection").
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")
BYTE_ORDER_MARK = "\ufeff"  # without it some spreadsheets take UTF-8 for something else


def csv_file(name: str, columns: str, rows: Iterable[Sequence[object]]) -> HttpResponse:
    """A download. `columns` are names with spaces between; None is an empty field."""
    response = HttpResponse(
        BYTE_ORDER_MARK,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )
    writer = csv.writer(response, quoting=csv.QUOTE_ALL)
    writer.writerow(columns.split())
    writer.writerows([field(value) for value in row] for row in rows)
    return response


def field(value: object) -> object:
    """Texts that would be run as a formula get an apostrophe; numbers stay numbers."""
    if isinstance(value, str) and value.startswith(FORMULA):
        return "'" + value
    return round(value, 4) if isinstance(value, float) else value
