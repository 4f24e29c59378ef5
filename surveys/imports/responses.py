"""Historic feedback from a CSV file: checked as a whole, then written in one transaction.

    plan = responses.plan(stream, options, now)
    if not plan.errors:
        responses.apply(plan, by=user, now=now)

Imported answers open no task. Rows without a score count in themes and in no score. A row that is
there already (by its external id, else by what it says) is left as it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, BinaryIO

from django.db import IntegrityError, reset_queries, transaction

from surveys.imports.answers import Answers, Options, People, Read
from surveys.imports.cells import BadCell
from surveys.imports.columns import RESPONSE_COLUMNS, find, unused
from surveys.imports.rows import (
    ChangedMeanwhile,
    HasErrors,
    Problem,
    Problems,
    Row,
    Unreadable,
    read,
)
from surveys.models import AuditEntry, Response, User

BATCH = 2_000
Tell = Callable[[int], None]
NO_CUSTOMER = (
    "The file has no customer column. Name it with --map customer=COLUMN, or import without "
    "customers by --no-customer."
)
NO_DATE = (
    "The file has no date column. Name it with --map date=COLUMN, or fill the dates in with "
    "--date 2026-12-31 or --spread MONTHS."
)
NOTHING_SAID = (
    "The file has neither a score nor a comment column. Name one with --map comment=COLUMN."
)


def _silent(rows: int) -> None:
    """Progress for nobody."""


@dataclass
class Plan:
    """What an import would do, or has done. `errors` counts all and keeps the first 200."""

    stream: BinaryIO
    options: Options
    now: datetime
    errors: Problems = field(default_factory=Problems)
    created: int = 0
    known: int = 0  # rows that are there already
    left_out: int = 0  # rows with neither a score nor a comment
    undated: int = 0  # rows whose date an option fills in
    filled: Counter[str] = field(default_factory=Counter)  # in new answers, by options
    unused: list[str] = field(default_factory=list)


def plan(stream: BinaryIO, options: Options, now: datetime) -> Plan:
    """Check a seekable binary stream without writing. Raises rows.Unreadable."""
    made = Plan(stream, options, now)
    _Walk(made, save=False).through()
    return made


def apply(checked: Plan, by: User | None, now: datetime, tell: Tell = _silent) -> Plan:
    """Write what `checked` promised, in one transaction; returns the counts of what was done.

    `tell` is called with the number of rows done, every few thousand. Raises HasErrors, and
    ChangedMeanwhile when the file no longer fits the database.
    """
    if checked.errors:
        raise HasErrors(f"The file has {len(checked.errors):,} errors; nothing was imported.")
    done = Plan(checked.stream, checked.options, checked.now)
    try:
        with transaction.atomic():
            _Walk(done, save=True, undated=checked.undated, tell=tell).through()
            if done.errors:
                raise ChangedMeanwhile(f"Changed since the check: {done.errors.shown[0]}")
            _record(done, by, now)
    except IntegrityError as error:
        raise ChangedMeanwhile("Answers changed meanwhile. Check the file again.") from error
    return done


def _record(done: Plan, by: User | None, now: datetime) -> None:
    if done.created:
        AuditEntry.record(
            "import", done.options.survey, now, actor=by,
            after={"responses": done.created, "filled": dict(done.filled)},
        )  # fmt: skip


class _Walk:
    """One pass over the file; with `save` each batch is written as it is understood."""

    def __init__(self, plan: Plan, save: bool, undated: int = 0, tell: Tell = _silent):
        self.plan, self.save, self.undated, self.tell = plan, save, undated, tell

    def through(self) -> None:
        with closing(read(self.plan.stream)) as entries:
            self._begin(next(entries).cells)
            while batch := list(islice(entries, BATCH)):
                self._batch(batch)
                self.tell(self.plan.created + self.plan.known)
                reset_queries()  # under DEBUG, Django keeps the text of every statement
        self.plan.left_out, self.plan.undated = self.answers.left_out, self.answers.dated
        self.plan.errors.shown.sort(key=lambda problem: problem.line)

    def _begin(self, header: list[str]) -> None:
        plan, options = self.plan, self.plan.options
        found = find(header, RESPONSE_COLUMNS, options.columns)
        _refuse_what_lacks(found, options)
        plan.unused = unused(header, found)
        names = {name: header[at] for name, at in found.items()}
        self.answers = Answers(options, plan.now, found, names, self.undated)

    def _batch(self, entries: list[Row | Problem]) -> None:
        rows = [(entry, values) for entry in entries if (values := self._values(entry))]
        people = People([values["customer"] for _, values in rows if "customer" in values])
        answers = [one for row, values in rows if (one := self._answer(row, values, people))]
        there = _there_already([answer.response for answer in answers])
        new = [answer for answer in answers if answer.response.external_id not in there]
        self.plan.created += len(new)
        self.plan.known += len(answers) - len(new)
        for answer in new:
            self.plan.filled.update(answer.filled)
        if self.save and not self.plan.errors:
            Response.objects.bulk_create([answer.response for answer in new])

    def _values(self, entry: Row | Problem) -> dict[str, Any] | None:
        if isinstance(entry, Problem):
            self.plan.errors.add(entry)
            return None
        values, bad = self.answers.values(entry)
        for column, error in bad:
            self.plan.errors.add(Problem(entry.line, column, str(error)))
        return None if bad else values

    def _answer(self, row: Row, values: dict[str, Any], people: People) -> Read | None:
        try:
            return self.answers.answer(row, values, people)
        except BadCell as error:
            self.plan.errors.add(Problem(row.line, "", str(error)))
            return None


def _refuse_what_lacks(found: dict[str, int], options: Options) -> None:
    if "score" not in found and "comment" not in found:
        raise Unreadable(NOTHING_SAID)
    if "customer" not in found and not options.without_customer:
        raise Unreadable(NO_CUSTOMER)
    if "date" not in found and options.date is None and options.spread_months is None:
        raise Unreadable(NO_DATE)


def _there_already(answers: list[Response]) -> set[str]:
    if not answers:
        return set()
    ids = [answer.external_id for answer in answers]
    known = Response.objects.filter(survey=answers[0].survey, external_id__in=ids)
    return set(known.values_list("external_id", flat=True))
