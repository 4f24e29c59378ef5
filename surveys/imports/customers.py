"""Customers from a CSV file: first everything is checked, then all of it is written, or nothing.

    plan = customers.plan(stream)          # reads only
    if not plan.errors:
        customers.apply(plan, by=user, now=now)

Empty cells change nothing. Importing the same file again changes nothing.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any, BinaryIO

from django.db import IntegrityError, reset_queries, transaction

from surveys.imports import cells
from surveys.imports.accounts import Accounts
from surveys.imports.columns import CUSTOMER_COLUMNS, find, unused
from surveys.imports.rows import (
    UNLIMITED,
    ChangedMeanwhile,
    HasErrors,
    Limits,
    Problem,
    Problems,
    Row,
    Unreadable,
    read,
)
from surveys.imports.trace import Trace
from surveys.loop import own
from surveys.models import AuditEntry, Customer, User

BATCH = 2_000
CELLS = {
    "email": cells.email,
    "name": partial(cells.words, longest=200),
    "external_id": partial(cells.words, longest=100),
    "phone": partial(cells.words, longest=40),
    "language": cells.language,
    "time_zone": cells.time_zone,
    "country": cells.country,
    "is_key_contact": cells.yes_or_no,
    "account": partial(cells.words, longest=200),
    "account_id": partial(cells.words, longest=100),
    "segment": partial(cells.words, longest=60),
    "region": partial(cells.words, longest=60),
    "owner": cells.email,
    "revenue": cells.money,
    "renews_on": cells.day,
}
OWN_FIELDS = ("email", "name", "external_id", "phone", "language", "time_zone", "country",
              "is_key_contact")  # fmt: skip


@dataclass
class Plan:
    """What an import would do, or has done. `errors` counts all and keeps the first 200."""

    stream: BinaryIO
    limits: Limits
    errors: Problems = field(default_factory=Problems)
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    accounts_created: int = 0
    accounts_updated: int = 0
    unused: list[str] = field(default_factory=list)  # columns that nothing is read from

    @property
    def changes_nothing(self) -> bool:
        counts = (self.created, self.updated, self.accounts_created, self.accounts_updated)
        return not any(counts)

    @property
    def counts(self) -> dict[str, int]:
        names = ("created", "updated", "unchanged", "accounts_created", "accounts_updated")
        return {name: getattr(self, name) for name in names}


def plan(stream: BinaryIO, limits: Limits = UNLIMITED) -> Plan:
    """Check a seekable binary stream without writing; raises rows.Unreadable.

    Pass `rows.BROWSER` as limits for an upload.
    """
    made = Plan(stream, limits)
    _Walk(made).through()
    return made


def apply(
    checked: Plan, by: User | None, now: datetime, *, move_tasks: bool = own.TASKS_MOVE_ALONG
) -> Plan:
    """Write what `checked` promised, in one transaction; returns the counts of what was done.

    With `move_tasks` the open tasks of an account that gets another owner move along.

    Raises HasErrors, and ChangedMeanwhile when the file no longer fits the database.
    """
    if checked.errors:
        raise HasErrors(f"The file has {len(checked.errors):,} errors; nothing was imported.")
    done = Plan(checked.stream, checked.limits)
    try:
        with transaction.atomic():
            _Walk(done, Trace(by, now), move_tasks).through()
            if done.errors:
                raise ChangedMeanwhile(f"Changed since the check: {done.errors.shown[0]}")
            _record(done, by, now)
    except IntegrityError as error:
        raise ChangedMeanwhile("Customers changed meanwhile. Check the file again.") from error
    return done


def _record(done: Plan, by: User | None, now: datetime) -> None:
    if not done.changes_nothing:
        AuditEntry.objects.create(
            at=now, actor=by, verb="import", noun="customer", noun_id=0, after=done.counts
        )


class _Walk:
    """One pass over the file; with a `trace` each batch is written as it is understood."""

    def __init__(self, plan: Plan, trace: Trace | None = None, move_tasks: bool = False):
        self.plan, self.trace = plan, trace
        self.accounts = Accounts(move_tasks)
        self.lines: dict[int, int] = {}  # hash of an e-mail or id, and the line that had it

    def through(self) -> None:
        with closing(read(self.plan.stream, self.plan.limits)) as entries:
            self._begin(next(entries).cells)
            while batch := list(islice(entries, BATCH)):
                self._batch(batch)
                reset_queries()  # under DEBUG, Django keeps the text of every statement
        self.plan.errors.shown.sort(key=lambda problem: problem.line)
        self.plan.accounts_created = self.accounts.created
        self.plan.accounts_updated = self.accounts.updated

    def _begin(self, header: list[str]) -> None:
        self.found = find(header, CUSTOMER_COLUMNS)
        if "email" not in self.found and "external_id" not in self.found:
            raise Unreadable(
                "No column holds an e-mail address or a customer id. Name one “e-mail” or "
                f"“customer id”. Columns: {', '.join(header)}."
            )
        self.names = {name: header[at] for name, at in self.found.items()}
        self.plan.unused = unused(header, self.found)

    def _batch(self, entries: list[Row | Problem]) -> None:
        rows = [(entry.line, values) for entry in entries if (values := self._values(entry))]
        self.accounts.load(values for _, values in rows)
        matches = _Matches([values for _, values in rows])
        decided = [one for line, values in rows if (one := self._decide(line, values, matches))]
        new = [customer for customer, _ in decided if customer.pk is None]
        before = {one.pk: said for one, said in decided if said and one.pk is not None}
        changed = [one for one, said in decided if said and one.pk is not None]
        self.plan.created += len(new)
        self.plan.updated += len(changed)
        self.plan.unchanged += len(decided) - len(new) - len(changed)
        if self.trace and not self.plan.errors:
            self.accounts.save(self.trace)
            _write(new, changed)
            self.trace.created(new, (*OWN_FIELDS, "segment", "account"))
            self.trace.changed((one, before[one.pk]) for one in changed)

    def _values(self, entry: Row | Problem) -> dict[str, Any] | None:
        """The filled cells of a row by field, or None when it has a problem."""
        if isinstance(entry, Problem):
            self.plan.errors.add(entry)
            return None
        values, good = {}, True
        for name, at in self.found.items():
            if text := entry.cells[at].strip():
                try:
                    values[name] = CELLS[name](text)
                except cells.BadCell as error:
                    self.plan.errors.add(Problem(entry.line, self.names[name], str(error)))
                    good = False
        return values if good and self._is_new_to_the_file(entry.line, values) else None

    def _is_new_to_the_file(self, line: int, values: dict[str, Any]) -> bool:
        keys = [name for name in ("email", "external_id") if name in values]
        if not keys:
            text = "Neither an e-mail address nor a customer id: nobody could be found again."
            self.plan.errors.add(Problem(line, "", text))
        for name in keys:
            earlier = self.lines.setdefault(hash((name, values[name])), line)
            if earlier != line:
                text = f"“{values[name]}” is in line {earlier} already."
                self.plan.errors.add(Problem(line, self.names[name], text))
                return False
        return bool(keys)

    def _decide(
        self, line: int, values: dict[str, Any], matches: _Matches
    ) -> tuple[Customer, dict[str, Any]] | None:
        """The customer as they will be, and what they were where that differs."""
        try:
            customer = matches.find(values) or Customer()
            account = self.accounts.take(values, line)
        except cells.BadCell as error:
            self.plan.errors.add(Problem(line, "", str(error)))
            return None
        if customer.merged_into_id:
            return customer, {}  # the record that they were merged into has a row of its own
        wanted = {name: values[name] for name in OWN_FIELDS if name in values}
        if account is None and "segment" in values:
            wanted["segment"] = values["segment"]
        said = {name: getattr(customer, name) for name in wanted}
        before = {name: value for name, value in said.items() if wanted[name] != value}
        if account is not None and (account.pk is None or customer.account_id != account.pk):
            before["account"] = customer.account_id
            customer.account = account
        for name in before.keys() & wanted.keys():
            setattr(customer, name, wanted[name])
        return customer, before


class _Matches:
    """The customers whom a batch of rows may mean, in one query."""

    def __init__(self, rows: list[dict[str, Any]]):
        emails = {row["email"] for row in rows if "email" in row}
        ids = {row["external_id"] for row in rows if "external_id" in row}
        found = Customer.objects.filter(email__in=emails)
        found |= Customer.objects.filter(external_id__in=ids)
        customers = list(found.select_related("account")) if rows else []
        self.by_email = {customer.email: customer for customer in customers}
        self.by_id = {customer.external_id: customer for customer in customers}

    def find(self, values: dict[str, Any]) -> Customer | None:
        """By customer id, else by e-mail; of one who was merged, the signpost that is left.

        An address that leads to a customer from elsewhere is taken out of `values`: it stays there.
        Raises BadCell where id and address disagree.
        """
        number = values.get("external_id")
        by_id = self.by_id.get(number) if number else None
        by_email = self.by_email.get(values["email"]) if "email" in values else None
        if by_id and by_email and by_id is not by_email:
            if _standing(by_id) == _standing(by_email):
                del values["email"]
                return by_id
            raise cells.BadCell(f"{values['email']} belongs to another customer.")
        if by_email and not by_id and number and by_email.external_id:
            raise cells.BadCell(
                f"{values['email']} belongs to the customer with the id “{by_email.external_id}”."
            )
        return by_id or by_email


def _standing(customer: Customer) -> int:
    return customer.merged_into_id or customer.pk


def _write(new: list[Customer], changed: list[Customer]) -> None:
    for customer in (*new, *changed):
        customer.account = customer.account  # takes over the id of an account saved just now
    Customer.objects.bulk_create(new)
    Customer.objects.bulk_update(changed, [*OWN_FIELDS, "segment", "account"], 500)
