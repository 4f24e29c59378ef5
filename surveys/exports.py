"""Tables as CSV files that a spreadsheet opens without running anything in them."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence

from django.http import HttpResponse, StreamingHttpResponse

# What a spreadsheet takes for the beginning of a formula (OWASP, "CSV injection").
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")
BYTE_ORDER_MARK = "\ufeff"  # without it some spreadsheets take UTF-8 for something else


def csv_file(name: str, columns: str, rows: Iterable[Sequence[object]]) -> HttpResponse:
    """A download. `columns` are names with spaces between; None is an empty field."""
    return HttpResponse("".join(_lines(columns, rows)), **_as_download(name))


def csv_stream(name: str, columns: str, rows: Iterable[Sequence[object]]) -> StreamingHttpResponse:
    """The same for tables of any length, of which a line at a time is in memory."""
    return StreamingHttpResponse(_lines(columns, rows), **_as_download(name))


def _as_download(name: str) -> dict:
    return {
        "content_type": "text/csv; charset=utf-8",
        "headers": {"Content-Disposition": f'attachment; filename="{name}.csv"'},
    }


class _Line:
    """What csv.writer writes to, which hands each line on."""

    def write(self, text: str) -> str:
        return text


def _lines(columns: str, rows: Iterable[Sequence[object]]) -> Iterator[str]:
    writer = csv.writer(_Line(), quoting=csv.QUOTE_ALL)
    yield BYTE_ORDER_MARK + writer.writerow(columns.split())
    for row in rows:
        yield writer.writerow([field(value) for value in row])


def field(value: object) -> object:
    """Texts that would be run as a formula get an apostrophe; numbers stay numbers."""
    if isinstance(value, str) and value.startswith(FORMULA):
        return "'" + value
    return round(value, 4) if isinstance(value, float) else value
