"""Follow up: an outreach task opened or changed, with its entry and its mail, in one statement.

The first press of a button (press.py) opens one by the same parts.
"""

from __future__ import annotations

import json
from datetime import datetime
from functools import cache
from typing import Any

from surveys.delivery.hints import hint
from surveys.delivery.outbox import SEND
from surveys.delivery.prepared import first_row, insert, plain
from surveys.loop.own import JOIN_FIRST_OWNER
from surveys.loop.tell import FOR_THE_COMMENT
from surveys.models import DEADLINE, AuditEntry, Message, OutreachTask, Response

# What each INSERT writes, as SQL. `answer` has the answer's id, `found` whose it is and the owner.
TASK = {
    "response": "answer.id",
    "customer": "found.whom",
    "owner": "found.owner",
    "cause": "%(cause)s::varchar",
    "started_at": "%(now)s",
    "due_at": "%(due)s",
}
ENTRY = {
    "at": "%(now)s",
    "verb": "'open'",
    "noun": "'outreachtask'",
    "noun_id": "task.id",
    "before": "'{}'::jsonb",
    "after": "jsonb_build_object('owner', found.owner, 'cause', %(cause)s::varchar,"
    " 'due_at', %(due_text)s::text)",
}
MAIL = {
    "kind": "'task_opened'",
    "dedupe_key": "concat('task-opened:', task.id, ':', found.owner)",
    "task": "task.id",
    "user": "found.owner",
    "next_at": "%(tell_at)s",
    "created_at": "%(now)s",
}


def values_of(cause: str, now: datetime, *, is_complete: bool) -> dict[str, Any]:
    """The values that TASK, ENTRY and MAIL ask for. While the customer may still be writing, the
    mail waits for the comment."""
    due = now + DEADLINE
    tell_at = now if is_complete else now + FOR_THE_COMMENT
    about = {"cause": plain(cause), "due": due, "due_text": due.isoformat(), "tell_at": tell_at}
    return about | {"now": now}


def open_task(response: Response, cause: str, now: datetime) -> None:
    """For an answer that has none; its customer's owner of the moment gets it, and hears of it."""
    is_complete = bool(response.comment or response.finished_at)
    values = values_of(cause, now, is_complete=is_complete)
    values |= {"response": response.pk, "customer": response.customer_id}
    first_row(_opened(), values)
    if is_complete:
        hint(SEND)


@cache
def _opened() -> str:
    return f"""
WITH found AS (
    SELECT customer.id AS whom, first_owner.id AS owner
    FROM surveys_customer customer
    LEFT JOIN surveys_account account ON account.id = customer.account_id
    {JOIN_FIRST_OWNER}
    WHERE customer.id = %(customer)s
), answer AS (
    SELECT %(response)s::bigint AS id
), task AS (
    {insert(OutreachTask, TASK)} FROM answer, found RETURNING id
), entry AS (
    {insert(AuditEntry, ENTRY)} FROM task, found
), mail AS (
    {insert(Message, MAIL)} FROM task, found WHERE owner IS NOT NULL
)
SELECT id FROM task
"""  # noqa: S608 - nothing in it comes from outside


CHANGE = {
    "at": "%(now)s",
    "verb": "%(verb)s::varchar",
    "noun": "'outreachtask'",
    "noun_id": "task.id",
    "before": "%(before)s::jsonb",
    "after": "%(after)s::jsonb",
    "reason": "%(why)s::varchar",
}


def change(task: OutreachTask, verb: str, now: datetime, why: str, **to: Any) -> None:
    """Give a task, which the caller has locked, other values, and let an entry say what was."""
    before = {name: getattr(task, name) for name in to}
    for name, value in to.items():
        setattr(task, name, value)
    task.version += 1
    values = {f"to_{name}": plain(value) for name, value in to.items()}
    values |= {"task": task.pk, "version": task.version, "now": now, "verb": verb,
               "why": why[:300], "before": _said(before), "after": _said(to)}  # fmt: skip
    first_row(_changed(tuple(to)), values)


@cache
def _changed(names: tuple[str, ...]) -> str:
    changed = ", ".join(f'"{name}" = %(to_{name})s' for name in names)
    return f"""
WITH task AS (
    UPDATE surveys_outreachtask SET {changed}, version = %(version)s
    WHERE id = %(task)s RETURNING id
)
{insert(AuditEntry, CHANGE)} FROM task RETURNING noun_id
"""  # noqa: S608 - nothing in it comes from outside


def _said(values: dict[str, Any]) -> str:
    return json.dumps(values, default=datetime.isoformat)


MORE = {
    "kind": "'task_opened'",
    "dedupe_key": "%(key)s",
    "task": "%(task)s",
    "user": "%(owner)s::bigint",
    "next_at": "%(now)s",
    "created_at": "%(now)s",
}


def tell_more(task: OutreachTask, now: datetime, *, is_news: bool) -> None:
    """The customer has added something: let the mail that waits for it go, or, if it `is_news` to
    the owner, send another."""
    key = f"task-told:{task.pk}:{task.owner_id}:{now.isoformat()}"
    values = {"task": task.pk, "owner": task.owner_id, "key": key, "now": now}
    if first_row(_told(), values | {"is_news": is_news and task.owner_id is not None}):
        hint(SEND)


@cache
def _told() -> str:
    return f"""
WITH hurried AS (
    UPDATE surveys_message SET next_at = %(now)s
    WHERE task_id = %(task)s AND kind = 'task_opened' AND state = 'queued' RETURNING id
), told AS (
    {insert(Message, MORE)} WHERE %(is_news)s AND NOT EXISTS (SELECT FROM hurried)
    ON CONFLICT DO NOTHING RETURNING id
)
SELECT id FROM hurried UNION ALL SELECT id FROM told
"""  # noqa: S608 - nothing in it comes from outside
