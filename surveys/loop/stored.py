"""Stored: an answer as it stands after a press, with what that press said, in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

from django.db import connection

from surveys.delivery.prepared import first_row, insert, plain
from surveys.models import OutreachTask, Response, ResponseReason, ResponseVersion

# What a press may change of an answer that is there.
CHANGED = ("score", "band", "verdict", "signs", "comment", "wants_contact", "contact_channel",
           "contact_time", "answered_at", "finished_at")  # fmt: skip
SAID = ("score", "comment", "contact_channel", "contact_time", "verdict", "signs")
LOCK = "SELECT {columns} FROM surveys_response WHERE id = %(id)s FOR UPDATE"


class Stored(NamedTuple):
    has_version: bool
    task: OutreachTask | None  # that hangs on the answer, locked


def locked(response: Response) -> Response:
    """The answer as it is now, which nobody else changes before the transaction ends.

    Raises Response.DoesNotExist.
    """
    row = first_row(LOCK.format(columns=_quoted(["id", *_columns()])), {"id": response.pk})
    if row is None:
        raise Response.DoesNotExist(f"Answer {response.pk} is gone.")
    fresh = Response.from_db(connection.alias, ["id", *_columns()], row)
    fresh.survey = response.survey
    return fresh


def store(
    response: Response,
    version: ResponseVersion,
    *,
    reasons: Sequence[str] | None = None,
    if_news: bool = False,
) -> Stored:
    """Insert or update the answer, which the caller has locked or made, and add the version to it,
    under the next number.

    `reasons` are the keys to be chosen from now on; None leaves them. A person's version
    gets those of the answer. `if_news`: no version that says what the last one of a person said.
    Raises Response.DoesNotExist.
    """
    is_machines = version.verdict == Response.Verdict.MACHINE
    chosen = version.reasons if is_machines else reasons
    names = CHANGED if response.pk else _columns()
    values: dict[str, Any] = {name: plain(getattr(response, name)) for name in names}
    values |= {f"said_{name}": plain(getattr(version, name)) for name in SAID}
    values |= {
        "id": response.pk,
        "at": version.recorded_at,
        "said_reasons": None if chosen is None else sorted(set(chosen)),
        "reasons": None if reasons is None else sorted(set(reasons)),
        "if_news": if_news,
    }
    row = first_row(_statement(is_new=not response.pk), values)
    if row is None:
        raise Response.DoesNotExist(f"Answer {response.pk} is gone.")
    response.pk, version_id, *of_task = row
    response._state.adding = False
    return Stored(version_id is not None, _task(of_task, response))


def _task(values: Sequence[Any], response: Response) -> OutreachTask | None:
    fields = OutreachTask._meta.concrete_fields
    task = OutreachTask.from_db(connection.alias, [field.attname for field in fields], values)
    if task.pk is None:
        return None
    task.response = response
    return task


@cache
def _columns() -> list[str]:
    fields = Response._meta.concrete_fields
    return [field.attname for field in fields if not field.primary_key]


REASONS_NOW = """coalesce(
    %(said_reasons)s::varchar[],
    ARRAY(SELECT key FROM surveys_responsereason WHERE response_id = answer.id
          ORDER BY key COLLATE "C"))"""
VERSION = {
    "response": "answer.id",
    "number": "coalesce(last.number, 0) + 1",
    "score": "%(said_score)s::smallint",
    "comment": "%(said_comment)s::text",
    "contact_channel": "%(said_contact_channel)s::varchar",
    "contact_time": "%(said_contact_time)s::varchar",
    "reasons": REASONS_NOW,
    "verdict": "%(said_verdict)s",
    "signs": "%(said_signs)s::varchar[]",
    "recorded_at": "%(at)s",
}
COMPARED = ("score", "comment", "contact_channel", "contact_time", "reasons")


@cache
def _statement(is_new: bool) -> str:
    said = ", ".join(VERSION[name] for name in COMPARED)
    task = ", ".join(f'task."{field.column}"' for field in OutreachTask._meta.concrete_fields)
    return f"""
WITH answer AS (
    {_insert() if is_new else _update()} RETURNING id
), dropped AS (
    DELETE FROM surveys_responsereason reason USING answer
    WHERE reason.response_id = answer.id AND NOT key = ANY(%(reasons)s::varchar[])
), chosen AS (
    {insert(ResponseReason, {"response": "answer.id", "key": "unnest(%(reasons)s::varchar[])"})}
    FROM answer ON CONFLICT DO NOTHING
), version AS (
    {insert(ResponseVersion, VERSION)}
    FROM answer
    LEFT JOIN LATERAL (
        SELECT max(number) AS number FROM surveys_responseversion WHERE response_id = answer.id
    ) last ON true
    WHERE NOT %(if_news)s OR NOT EXISTS (
        SELECT FROM (
            SELECT * FROM surveys_responseversion
            WHERE response_id = answer.id AND verdict = 'person' ORDER BY number DESC LIMIT 1
        ) before
        WHERE ({", ".join(f"before.{name}" for name in COMPARED)}) IS NOT DISTINCT FROM
              ({said}))
    RETURNING id
)
SELECT answer.id, version.id, {task}
FROM answer
LEFT JOIN version ON true
LEFT JOIN (
    SELECT * FROM surveys_outreachtask WHERE response_id = %(id)s FOR UPDATE
) task ON true
"""  # noqa: S608 - nothing in it comes from outside


def _update() -> str:
    changed = ", ".join(f'"{name}" = %({name})s' for name in CHANGED)
    return f"UPDATE surveys_response SET {changed} WHERE id = %(id)s"  # noqa: S608


def _insert() -> str:
    values = ", ".join(f"%({name})s" for name in _columns())
    return f"INSERT INTO surveys_response ({_quoted(_columns())}) VALUES ({values})"  # noqa: S608


def _quoted(columns: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in columns)
