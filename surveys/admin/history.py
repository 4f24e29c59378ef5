"""Audit entries as a reader wants them: a sentence each, with names in place of numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.apps import apps
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.formats import date_format

from surveys.models import (
    Account,
    AuditEntry,
    Brand,
    Contact,
    Customer,
    Family,
    OutreachTask,
    RootCause,
    Survey,
    Team,
    User,
    Wave,
)

POINTERS: dict[str, type[models.Model]] = {
    "account": Account,
    "brand": Brand,
    "cover": User,
    "customer": Customer,
    "family": Family,
    "owner": User,
    "root_cause": RootCause,
    "survey": Survey,
    "team": Team,
    "user": User,
    "wave": Wave,
}
RELATED = {"root_cause": "parent"}
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(\+\d\d:\d\d|Z)", re.ASCII)
SAID_ELSEWHERE = {"due_at"}  # the page that shows the history shows it too

# What each verb has done to its noun.
WORDS = {
    "acknowledge": "acknowledged the escalation of",
    "add": "added",
    "answer": "gave, for the customer,",
    "ask": "asked for",
    "assign": "handed over",
    "change": "changed",
    "choose password": "chose a password for",
    "close": "closed",
    "contact": "logged a contact on",
    "create": "created",
    "compare": "noted the next score after",
    "confirm": "gave the customer's word on",
    "decide": "decided about",
    "delete": "deleted",
    "deny": "opened again",
    "escalate": "escalated",
    "export": "downloaded entries of",
    "forget": "forgot",
    "give links": "downloaded the links of",
    "import": "imported into",
    "invite": "invited",
    "issue": "issued",
    "launch": "launched",
    "merge": "merged",
    "open": "opened",
    "overrule": "overruled the verdict on",
    "pause": "paused",
    "recast": "gave another cause to",
    "remind": "sent reminders of",
    "reopen": "reopened",
    "resume": "resumed",
    "revoke": "revoked",
    "send a test": "sent a test of",
    "stop": "stopped",
    "suppress": "stopped the mails to",
    "snooze": "put off",
    "wake": "put back into the queue",
    "withdraw": "withdrew",
    "write": "wrote to the customer of",
}
OF_ONE_NOUN = {("ask", "outreachtask"): "asked the customer about"}
NOBODY = "A customer or the clock"


@dataclass(frozen=True)
class Line:
    entry: AuditEntry
    changes: list[tuple[str, str, str]]  # name, before, after

    @property
    def sentence(self) -> str:
        """Such as “Mira changed the account”."""
        did = words(self.entry.verb, self.entry.noun)
        return f"{self.entry.actor or NOBODY} {did} the {noun(self.entry)}"


def words(verb: str, noun: str = "") -> str:
    return OF_ONE_NOUN.get((verb, noun)) or WORDS.get(verb, f"did “{verb}” to")


def noun(entry: AuditEntry) -> str:
    model = _model(entry.noun)
    return str(model._meta.verbose_name) if model else entry.noun


def _model(name: str) -> type[models.Model] | None:
    found = (app.models.get(name) for app in apps.get_app_configs())
    return next((model for model in found if model), None)


def entries_about(row: models.Model) -> models.QuerySet[AuditEntry]:
    """Of the row, and of those that were merged into it."""
    name = row._meta.model_name
    about = Q(noun=name, noun_id=row.pk)
    if hasattr(row, "signposts"):
        about |= Q(noun=name, noun_id__in=list(row.signposts.values_list("pk", flat=True)))
    return AuditEntry.objects.filter(about)


def readable(entries: Iterable[AuditEntry]) -> list[Line]:
    """One line for each entry; a query for each kind of noun pointed to, however many entries."""
    entries = list(entries)
    names = {field: _names(field, entries) for field in POINTERS}
    return [Line(entry, _changes(entry, names)) for entry in entries]


def _names(field: str, entries: list[AuditEntry]) -> dict[object, str]:
    ids = {side.get(field) for entry in entries for side in (entry.before, entry.after)}
    ids = {pk for pk in ids if isinstance(pk, int)}
    return {row.pk: str(row) for row in _rows(field).filter(pk__in=ids)} if ids else {}


def _rows(field: str) -> models.QuerySet:
    rows = POINTERS[field]._default_manager.all()
    return rows.select_related(RELATED[field]) if field in RELATED else rows


def _changes(entry: AuditEntry, names: dict[str, dict]) -> list[tuple[str, str, str]]:
    model = _model(entry.noun)
    changes = []
    for field in dict.fromkeys([*entry.before, *entry.after]):
        before, after = entry.before.get(field), entry.after.get(field)
        if field not in SAID_ELSEWHERE and before != after:
            known = names.get(field, {})
            words = _choices(model, field)
            shown = [
                known.get(_key(v)) or words.get(_plain(v)) or _plain(v) for v in (before, after)
            ]
            changes.append((_label(model, field), *shown))
    return changes


def _choices(model: type[models.Model] | None, field: str) -> dict[str, str]:
    """The words of a field that has choices, also where a task's entry is about a contact."""
    of = [model, Contact] if model is OutreachTask else [model]
    own = (each for one in of if one for each in one._meta.concrete_fields if each.name == field)
    return {str(value): str(label) for each in own for value, label in each.flatchoices}


def _key(value: object) -> object:
    return value if isinstance(value, int) else None


def _label(model: type[models.Model] | None, field: str) -> str:
    own = {each.name: each for each in model._meta.concrete_fields} if model else {}
    return str(own[field].verbose_name) if field in own else field.replace("_", " ")


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(_plain, value))
    if isinstance(value, str) and MOMENT.fullmatch(value):
        return _moment(value)
    return "" if value is None else str(value)


def _moment(text: str) -> str:
    """In the reader's own time; what looks like a moment and is none stays as it is."""
    try:
        return date_format(timezone.localtime(datetime.fromisoformat(text)), "DATETIME_FORMAT")
    except (ValueError, OverflowError):
        return text
