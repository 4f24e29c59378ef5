"""A report before it takes a form: figures, charts and tables, each number with its words.

The page, the PDF, the spreadsheet, the CSV and the JSON file are all made of this, so that they
cannot differ.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from analysis import phrases
from analysis.measures.closure import Closure
from analysis.svg import Svg

Value = str | int | float | None
DIGITS = 4  # after the point, in files


@dataclass(frozen=True)
class Cell:
    """`value` as a file has it, `words` as people read it."""

    value: Value
    words: str
    address: str = ""  # of the rows that it counts

    @classmethod
    def of(cls, value: str | int) -> Cell:
        return cls(value, phrases.number(value) if isinstance(value, int) else value)


@dataclass(frozen=True)
class Column:
    """`name` in files, `head` for people; "" there: in files alone."""

    name: str
    head: str = ""
    is_number: bool = False


@dataclass(frozen=True)
class Table:
    name: str  # of the sheet
    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    note: str = ""
    empty: str = "There is nothing to show yet."
    chart: Svg = field(default_factory=Svg)

    @property
    def shown(self) -> list[list[tuple[Column, Cell]]]:
        """The rows as people see them."""
        return [
            [pair for pair in zip(self.columns, row, strict=True) if pair[0].head]
            for row in self.rows
        ]

    @property
    def heads(self) -> list[Column]:
        return [column for column in self.columns if column.head]


@dataclass(frozen=True)
class Figure:
    """One of the large ones: what it is, how it stands to its goal, how it has moved."""

    name: str
    words: str
    note: str = ""
    goal: str = ""
    change: str = ""
    look: str = "apart"  # good, fair, bad, apart


@dataclass(frozen=True)
class Document:
    name: str  # of the file
    title: str
    subtitle: str
    as_of: datetime
    figures: Sequence[Figure]
    tables: Sequence[Table]
    explained: Sequence[str] = ()  # how the figures are made


def rounded(value: Value) -> Value:
    return round(value, DIGITS) if isinstance(value, float) else value


CLOSURE = (
    Column("rate", "Within 72 h"),
    Column("rate_low"),
    Column("rate_high"),
    Column("in_time", "In time", is_number=True),
    Column("late", "Late", is_number=True),
    Column("overdue", "Overdue", is_number=True),
    Column("not_yet_due_contacted", "Not yet due, contacted", is_number=True),
    Column("not_yet_due_open", "Not yet due, open", is_number=True),
    Column("withdrawn", "Withdrawn", is_number=True),
    Column("n"),
)


# Of the counts, the groups of measures.closure.
GROUPS = {
    "in_time": "contacted_in_time",
    **{
        name: name
        for name in (
            "late", "overdue", "not_yet_due_contacted", "not_yet_due_open", "withdrawn",
        )
    },
}  # fmt: skip
RowsOf = Callable[[str], str]


def closure_cells(closure: Closure) -> list[Cell]:
    """A percentage from ten on; the counts and the interval always."""
    low, high = closure.interval or (None, None)
    rate = closure.rate if closure.shows_percent else None
    counts = (
        closure.contacted_in_time,
        closure.late,
        closure.overdue,
        closure.not_yet_due_contacted,
        closure.not_yet_due_open,
        closure.withdrawn,
        closure.n,
    )
    return [
        Cell(rounded(rate), phrases.closure(closure)),
        Cell(rounded(low), ""),
        Cell(rounded(high), ""),
        *map(Cell.of, counts),
    ]


def with_rows(cells: Sequence[Cell], columns: Sequence[Column], rows_of: RowsOf) -> list[Cell]:
    """The counts of closure as links to the tasks that they count."""
    return [
        replace(cell, address=rows_of(name)) if cell.value and name else cell
        for cell, name in zip(cells, (GROUPS.get(one.name, "") for one in columns), strict=True)
    ]
