"""Audit entries about what an import has created and changed, a batch at a time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from surveys.models import Account, AuditEntry, Customer, User
from surveys.models.audit import recorded

Row = Account | Customer
REASON = "Import of a file"


@dataclass(frozen=True)
class Trace:
    by: User | None
    now: datetime

    def created(self, rows: Iterable[Row], fields: Iterable[str]) -> None:
        names = list(fields)
        self._keep(self._entry("create", row, {}, _filled(row, names)) for row in rows)

    def changed(self, rows: Iterable[tuple[Row, dict[str, Any]]]) -> None:
        """Each with what its changed fields said before."""
        self._keep(
            self._entry("change", row, before, {name: getattr(row, name) for name in before})
            for row, before in rows
        )

    def _entry(self, verb: str, row: Row, before: dict, after: dict) -> AuditEntry:
        return AuditEntry(
            at=self.now,
            actor=self.by,
            verb=verb,
            noun=row._meta.model_name,
            noun_id=row.pk,
            before=_said(row, before),
            after=_said(row, after),
            reason=REASON,
        )

    def _keep(self, entries: Iterable[AuditEntry]) -> None:
        AuditEntry.objects.bulk_create(entries)


def _filled(row: Row, names: list[str]) -> dict[str, Any]:
    return {name: value for name in names if (value := getattr(row, name)) not in (None, "")}


def _said(row: Row, values: dict[str, Any]) -> dict[str, Any]:
    personal = getattr(row, "personal", ())
    return {name: recorded(value, name in personal) for name, value in values.items()}
