"""From one row of historic feedback to one answer, with what the options fill in counted."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.conf import settings

from surveys.imports import cells
from surveys.imports.rows import Row
from surveys.loop import sort
from surveys.models import COMMENT_LENGTH, Customer, Response, Survey

MONTH = timedelta(days=365.25 / 12)


@dataclass(frozen=True)
class Options:
    """What the file lacks, filled in; `columns` maps a field to the file's name for it."""

    survey: Survey
    columns: dict[str, str] = field(default_factory=dict)
    date: datetime | None = None  # aware UTC; for rows without a date
    spread_months: int | None = None  # or rows without a date stand evenly in the last months
    without_customer: bool = False  # rows whose customer is missing or unknown are kept


class Read(NamedTuple):
    """An answer, and what options and rules filled in or cut."""

    response: Response
    filled: list[str]


class Answers:
    """Reads the rows of one file; `undated` is how many of them an option gives a date."""

    def __init__(self, options: Options, now: datetime, found: dict[str, int],
                 names: dict[str, str], undated: int):  # fmt: skip
        self.options, self.now, self.found, self.names = options, now, found, names
        self.undated, self.dated = undated, 0
        self.left_out = 0  # rows that say nothing
        self.notes: list[str] = []  # what was filled in for the answer at hand
        self.seen: dict[int, int] = {}  # hash of an external id or a whole row: line or count
        self.zone = ZoneInfo(settings.TIME_ZONE)
        self.cells = {
            "score": partial(cells.score, scale=options.survey.scale),
            "comment": str.strip,
            "date": self._past,
            "customer": str.strip,
            "segment": partial(cells.words, longest=60),
            "product": partial(cells.words, longest=80),
            "language": cells.language,
            "external_id": partial(cells.words, longest=100),
        }

    def values(self, row: Row) -> tuple[dict[str, Any], list[tuple[str, cells.BadCell]]]:
        """The filled cells of a row by field (none if it says nothing), and the bad ones."""
        values, bad = {}, []
        for name, at in self.found.items():
            if text := row.cells[at].strip():
                try:
                    values[name] = self.cells[name](text)
                except cells.BadCell as error:
                    bad.append((self.names[name], error))
        if not bad and "score" not in values and "comment" not in values:
            self.left_out += 1
            return {}, []
        return values, bad

    def answer(self, row: Row, values: dict[str, Any], people: People) -> Read:
        """Raises BadCell for a customer, date or id that is missing or wrong."""
        self.notes = []
        survey, score = self.options.survey, values.get("score")
        customer = self._customer(values, people)
        response = Response(
            survey=survey,
            kind=survey.kind,
            source=Response.Source.IMPORTED,
            external_id=self._external_id(row, values),
            customer=customer,
            score=score,
            band="" if score is None else sort.band(survey.kind, score),
            comment=self._comment(values),
            language=values.get("language", ""),
            product=values.get("product", survey.product),
            segment=values.get("segment") or (customer.current_segment if customer else ""),
            answered_at=values.get("date") or self._filled_date(),
        )
        return Read(response, self.notes)

    def _customer(self, values: dict[str, Any], people: People) -> Customer | None:
        named = values.get("customer", "")
        if customer := people.find(named):
            return customer
        if not self.options.without_customer:
            who = f"There is no customer “{named[:60]}”." if named else "No customer is named."
            raise cells.BadCell(f"{who} Import the customers first, or use --no-customer.")
        self.notes.append("answers without a customer (--no-customer)")
        return None

    def _external_id(self, row: Row, values: dict[str, Any]) -> str:
        """The file's own id; else a digest of the row, numbered where the same row comes again."""
        if "external_id" in self.found:
            return self._own_id(row, values)
        text = "\x1f".join(row.cells)
        key = hash(text)
        self.seen[key] = count = self.seen.get(key, 0) + 1
        digest = hashlib.sha256(text.encode()).hexdigest()[:32]
        return f"row:{digest}" if count == 1 else f"row:{digest}:{count}"

    def _own_id(self, row: Row, values: dict[str, Any]) -> str:
        if "external_id" not in values:
            raise cells.BadCell(f"The column “{self.names['external_id']}” is empty.")
        earlier = self.seen.setdefault(hash(values["external_id"]), row.line)
        if earlier != row.line:
            raise cells.BadCell(f"The id “{values['external_id']}” is in line {earlier} already.")
        return values["external_id"]

    def _comment(self, values: dict[str, Any]) -> str:
        comment = values.get("comment", "")
        if len(comment) > COMMENT_LENGTH:
            self.notes.append(f"comments cut at {COMMENT_LENGTH:,} characters")
        return comment[:COMMENT_LENGTH]

    def _past(self, text: str) -> datetime:
        at = cells.moment(text, self.zone)
        if at > self.now:
            raise cells.BadCell(f"{text.strip()} is in the future.")
        return at

    def _filled_date(self) -> datetime:
        self.dated += 1
        if self.options.date is not None:
            self.notes.append(f"dates set to {self.options.date:%Y-%m-%d} (--date)")
            return self.options.date
        months = self.options.spread_months
        if months is None:
            raise cells.BadCell("No date. Fill it in with --date or --spread.")
        self.notes.append(f"dates spread over {months} months (--spread)")
        part = (self.dated - 0.5) / self.undated if self.undated else 1
        return self.now - months * MONTH * (1 - part)


class People:
    """The customers whom a batch of rows names by e-mail or customer id, in one query."""

    def __init__(self, names: list[str]):
        wanted = {name for name in names if name}
        lower = {name.lower() for name in wanted}
        found = Customer.objects.filter(email__in=lower)
        found |= Customer.objects.filter(external_id__in=wanted)
        named = found.select_related("account", "merged_into__account")
        customers = list(named) if wanted else []
        self.by_id = {one.external_id: one.standing for one in customers if one.external_id}
        self.by_email = {one.email: one.standing for one in customers if one.email}

    def find(self, name: str) -> Customer | None:
        return self.by_id.get(name) or self.by_email.get(name.lower())
