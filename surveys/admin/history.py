"""Audit entries as a reader wants them: what changed, with names in place of numbers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from surveys.models import AuditEntry, RootCause, Team, User

POINTERS = {
    "owner": User,
    "user": User,
    "cover": User,
    "team": Team,
    "root_cause": RootCause,
}
SAID_ELSEWHERE = {"due_at"}  # the page that shows the history shows it too


@dataclass(frozen=True)
class Line:
    entry: AuditEntry
    changes: list[tuple[str, str, str]]  # name, before, after


def readable(entries: Iterable[AuditEntry]) -> list[Line]:
    """One line for each entry; a query for each kind of noun pointed to, however many entries."""
    entries = list(entries)
    names = {field: _names(field, entries) for field in POINTERS}
    return [Line(entry, _changes(entry, names)) for entry in entries]


def _names(field: str, entries: list[AuditEntry]) -> dict[object, str]:
    ids = {side.get(field) for entry in entries for side in (entry.before, entry.after)}
    ids = {pk for pk in ids if isinstance(pk, int)}
    return {noun.pk: str(noun) for noun in _rows(field).filter(pk__in=ids)} if ids else {}


def _rows(field: str):
    rows = POINTERS[field].objects.all()
    return rows.select_related("parent") if field == "root_cause" else rows


def _changes(entry: AuditEntry, names: dict[str, dict]) -> list[tuple[str, str, str]]:
    fields = dict.fromkeys([*entry.before, *entry.after])
    changes = []
    for field in fields:
        before, after = entry.before.get(field), entry.after.get(field)
        if field not in SAID_ELSEWHERE and before != after:
            known = names.get(field, {})
            shown = [known.get(value, _plain(value)) for value in (before, after)]
            changes.append((field.replace("_", " "), *shown))
    return changes


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)
