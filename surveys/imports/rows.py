"""Reading a CSV file that somebody else made: in one pass, in bounded memory, with line numbers."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import BinaryIO, NamedTuple

MAX_COLUMNS = 50
MAX_CELL = 20_000  # characters
MAX_LINE = MAX_COLUMNS * MAX_CELL
SHOWN_PROBLEMS = 200
DELIMITERS = ",;\t"  # Excel writes semicolons where the comma is the decimal sign
UTF16 = (b"\xff\xfe", b"\xfe\xff")

HOW_TO_SAVE = "Save it as “CSV UTF-8” (Excel: Save as, CSV UTF-8) and try again."
MEANINGS = {  # what Python's csv module says, and what the person with the file should look for
    "unexpected end of data": 'A quote (") is opened here and never closed.',
    "expected after": 'A quote inside a value must be written twice ("").',
    "field larger than": 'A value is far too long; most likely a quote (") is never closed.',
}


class Unreadable(Exception):
    """The file as a whole cannot be read; the message says what to do about it."""


class HasErrors(Exception):
    """The check found problems: nothing may be written until the file is put right."""


class ChangedMeanwhile(Exception):
    """The database changed between the check and the writing; nothing was written."""


class Limits(NamedTuple):
    """What a file may weigh; None is no limit."""

    size: int | None = None  # bytes
    rows: int | None = None


BROWSER = Limits(size=10 * 1024 * 1024, rows=100_000)
UNLIMITED = Limits()


class Row(NamedTuple):
    line: int  # where it begins in the file, from 1
    cells: list[str]


class Problem(NamedTuple):
    line: int
    column: str  # as the file calls it; empty where it is about the whole row
    text: str

    def __str__(self) -> str:
        where = f"Line {self.line}, {self.column}" if self.column else f"Line {self.line}"
        return f"{where}: {self.text}"


@dataclass
class Problems:
    """All problems are counted, the first 200 are kept: a file can have a million."""

    shown: list[Problem] = field(default_factory=list)
    count: int = 0

    def add(self, problem: Problem) -> None:
        self.count += 1
        if len(self.shown) < SHOWN_PROBLEMS:
            self.shown.append(problem)

    def __iter__(self) -> Iterator[Problem]:
        return iter(self.shown)

    def __len__(self) -> int:
        return self.count


def read(stream: BinaryIO, limits: Limits = UNLIMITED) -> Iterator[Row | Problem]:
    """The rows of a seekable stream, from its beginning; the first is the header.

    Blank lines are left out. A row that cannot be used comes as a Problem in its place. Raises
    Unreadable where no row could be trusted: another encoding, no header, over a limit.
    """
    _check_size(stream, limits)
    with _as_text(stream) as text:
        lines = _lines(text)
        header = _header(lines)
        if header is None:
            raise Unreadable("The file is empty. Its first line must name the columns.")
        yield Row(1, header.cells)
        for number, row in enumerate(_rows(lines, header), start=1):
            if limits.rows is not None and number > limits.rows:
                raise Unreadable(
                    f"The file has more than {limits.rows:,} rows. Split it, or use the command "
                    "line, which has no such limit."
                )
            yield row


def _check_size(stream: BinaryIO, limits: Limits) -> None:
    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    if limits.size is not None and size > limits.size:
        raise Unreadable(
            f"The file is larger than {limits.size // 1024**2} MB. Split it, or use the command "
            "line, which has no such limit."
        )
    head = stream.read(4_096)
    stream.seek(0)
    if head.startswith(UTF16) or head.count(0) > len(head) / 4:
        raise Unreadable(f"The file is written in UTF-16. {HOW_TO_SAVE}")
    if head.startswith(b"PK\x03\x04"):
        raise Unreadable(f"This is an Excel workbook, not a CSV file. {HOW_TO_SAVE}")


@contextmanager
def _as_text(stream: BinaryIO) -> Iterator[io.TextIOWrapper]:
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
    try:
        yield text
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise Unreadable(
            f"The file is not UTF-8 (byte 0x{byte:02x}); probably it is Latin-1 or Windows-1252. "
            f"{HOW_TO_SAVE}"
        ) from error
    finally:
        text.detach()  # the stream stays open: it belongs to the caller


def _lines(text: io.TextIOWrapper) -> Iterator[str]:
    number = 0
    while line := text.readline(MAX_LINE):
        number += 1
        if len(line) == MAX_LINE:
            raise Unreadable(f"Line {number} is longer than a million characters.")
        yield line


class _Header(NamedTuple):
    cells: list[str]
    delimiter: str


def _header(lines: Iterator[str]) -> _Header | None:
    """Names and delimiter from the first line; None in an empty file."""
    line = next(lines, "")
    if not line.strip():
        return None
    delimiter = max(DELIMITERS, key=line.count)
    try:
        [cells] = csv.reader([line], strict=True, delimiter=delimiter)
    except (csv.Error, ValueError) as error:
        raise Unreadable("The first line must name the columns, each on one line.") from error
    cells = [cell.strip() for cell in cells]
    while cells and not cells[-1]:
        cells.pop()
    if len(cells) > MAX_COLUMNS:
        raise Unreadable(f"The file has {len(cells)} columns; {MAX_COLUMNS} is the most.")
    folded = [cell.casefold() for cell in cells]
    for cell in cells:
        if cell and folded.count(cell.casefold()) > 1:
            raise Unreadable(f"The column “{cell}” is there twice. Rename or remove one.")
        if "\0" in cell:
            raise Unreadable("The first line has a NUL character; it does not look like text.")
    return _Header(cells, delimiter)


def _rows(lines: Iterator[str], header: _Header) -> Iterator[Row | Problem]:
    reader = csv.reader(lines, strict=True, delimiter=header.delimiter)
    while True:
        line = reader.line_num + 2  # the header is line 1, and line_num counts what was read
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            # Where one row ends and the next begins is unknown from here on.
            yield Problem(line, "", f"{_meaning(error)} The rest of the file was not read.")
            return
        if any(cell.strip() for cell in cells):
            yield _checked(Row(line, cells), header.cells)


def _meaning(error: csv.Error) -> str:
    known = [meaning for said, meaning in MEANINGS.items() if said in str(error)]
    return known[0] if known else f"The row cannot be read ({error})."


def _checked(row: Row, columns: list[str]) -> Row | Problem:
    cells = row.cells
    while len(cells) > len(columns) and not cells[-1].strip():
        cells.pop()
    if len(cells) != len(columns):
        return Problem(row.line, "", f"{len(cells)} values for {len(columns)} columns.")
    for column, cell in zip(columns, cells, strict=True):
        if "\0" in cell:
            return Problem(row.line, column, "A NUL character; it does not look like text.")
        if len(cell) > MAX_CELL:
            return Problem(row.line, column, f"Longer than {MAX_CELL:,} characters.")
    return row
