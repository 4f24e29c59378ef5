"""Prepared: statements that PostgreSQL plans once for each connection.

They are long, always the same, and planning them costs several times as much as running them: those
of customers' pages, and the hand-over of a mail.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

import psycopg
from django.db import connection, models
from psycopg import sql


class _Cursor(psycopg.Cursor):
    def execute(self, query: Any, params: Any = None, **how: Any) -> _Cursor:
        return super().execute(query, params, **how | {"prepare": True})


def rows(statement: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """A statement's whole result, on Django's connection and in its transaction."""
    connection.ensure_connection()
    session = connection.connection
    session.prepare_threshold = 1  # Django turns it off, for the sake of poolers between
    wrapped = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
    with wrapped(_Cursor(session)) as cursor:  # type: ignore[arg-type]  # wants Django's own
        cursor.execute(statement, values)
        return cursor.fetchall()


def first_row(statement: str, values: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """The first row of it."""
    return next(iter(rows(statement, values)), None)


def plain(value: Any) -> Any:
    """A field's value for a statement: of a choice, psycopg would send the name."""
    if isinstance(value, list):
        return [plain(each) for each in value]
    return value.value if isinstance(value, Enum) else value


def insert(model: type[models.Model], given: Mapping[str, str]) -> str:
    """INSERT ... SELECT of what is `given` as SQL for some fields; all others get their default,
    as in Python."""
    fields = [field for field in model._meta.concrete_fields if not field.primary_key]
    columns = ", ".join(f'"{field.column}"' for field in fields)
    values = ", ".join(given.get(field.name) or _default(field) for field in fields)
    return f"INSERT INTO {model._meta.db_table} ({columns}) SELECT {values}"


def _default(field: models.Field) -> str:
    return sql.Literal(field.get_default()).as_string()
