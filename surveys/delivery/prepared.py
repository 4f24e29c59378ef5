"""Prepared: statements that PostgreSQL plans once for each connection.

They are long, always the same, and planning them costs several times as much as running them: those
of customers' pages, and the hand-over of a mail.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg
from django.db import connection


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
