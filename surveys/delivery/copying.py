"""Many rows at once by PostgreSQL's COPY: a wave of a million is written in minutes."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection, models


def new_ids(model: type[models.Model], count: int) -> list[int]:
    """So many primary keys that nobody else will get."""
    table = model._meta.db_table
    sequence = "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)"
    with connection.cursor() as cursor:
        cursor.execute(sequence, [table, count])
        return [new for (new,) in cursor.fetchall()]


def copy_in(rows: Sequence[models.Model]) -> None:
    """Insert rows of one model, inside the caller's transaction.

    Their keys are their own, or for all of them the database's. Unlike `bulk_create` it cannot
    pass over what is there already: raises IntegrityError, as every constraint still holds.
    """
    if not rows:
        return
    meta = rows[0]._meta
    columns = [column for column in meta.concrete_fields if rows[0].pk or not column.primary_key]
    names = ", ".join(connection.ops.quote_name(str(column.column)) for column in columns)
    into = f"COPY {connection.ops.quote_name(meta.db_table)} ({names}) FROM STDIN"
    attributes = [column.attname for column in columns]
    with connection.cursor() as cursor, cursor.copy(into) as copy:
        for row in rows:
            copy.write_row([getattr(row, name) for name in attributes])
