"""The moment from which a server may have a mail: committed between its 354 and the body.

Each connection of a sender has at most one mail in this state, so that a sender that dies leaves
at most one in doubt for each. Connections that stand there at the same moment share one commit,
for a commit costs the disk as much for ten mails as for one.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from datetime import datetime
from queue import Empty, SimpleQueue
from threading import Thread
from typing import NamedTuple

from django.db import connection

from surveys.delivery import prepared
from surveys.delivery.wanted import STILL_WANTED
from surveys.models import Message, Suppression

MOMENT = 0.001  # seconds
COMMIT = f"""
    WITH taken AS (
        SELECT * FROM json_to_recordset(%(taken)s::json)
        AS taken(id bigint, lease uuid, sent_at timestamptz, provider_id text)
    ), written_down AS (
        UPDATE surveys_message AS message
        SET state = 'sent', sent_at = taken.sent_at, provider_id = taken.provider_id,
            last_error = ''
        FROM taken
        WHERE message.id = taken.id AND message.lease = taken.lease
            AND message.state IN ('sending', 'in_doubt')
    ), given AS (
        SELECT * FROM json_to_recordset(%(given)s::json)
        AS given(id bigint, lease uuid, message_id text, email text, digest bytea)
    )
    UPDATE surveys_message AS message SET handed_at = %(now)s, message_id = given.message_id
    FROM given
    WHERE message.id = given.id AND message.lease = given.lease AND message.state = 'sending'
        AND {STILL_WANTED}
    RETURNING message.id
"""  # noqa: S608 - a constant


class HandOver(NamedTuple):
    """`mail` is about to be given away; `taken`, the one before it on that connection, was taken
    by the server at its `sent_at` and is not written down yet."""

    mail: Message
    taken: Message | None = None


Waiting = tuple[HandOver, Future[bool]]


def commit(waiting: Sequence[HandOver], now: datetime) -> set[int]:
    """One statement for all that wait: what was taken is sent, and what follows is handed over.

    Returns the keys of the mails that may be given away: those that are still ours and still
    wanted. Prepared, because planning takes PostgreSQL longer than running it.
    """
    given = json.dumps([_given(one.mail) for one in waiting], default=str)
    taken = json.dumps([_taken(one.taken) for one in waiting if one.taken], default=str)
    handed = prepared.rows(COMMIT, {"now": now, "given": given, "taken": taken})
    return {key for (key,) in handed}


def _given(mail: Message) -> dict:
    email = _address(mail)
    digest = f"\\x{Suppression.hash(email).hex()}"
    return {
        "id": mail.pk, "lease": mail.lease, "message_id": mail.message_id, "email": email,
        "digest": digest,
    }  # fmt: skip


def _taken(mail: Message) -> dict:
    return {
        "id": mail.pk, "lease": mail.lease, "sent_at": mail.sent_at, "provider_id": mail.provider_id
    }  # fmt: skip


def _address(mail: Message) -> str:
    by_hand = mail.task if mail.kind == Message.Kind.TASK_MAIL else None
    about = by_hand or mail.invitation
    return (about.customer.email or "") if about else ""


class Desk:
    """Where the connections of one sender wait for the commit; it has a thread of its own.

    `connections`: how many may come. Who comes first waits a moment for the others, as PostgreSQL's
    commit_delay does: it takes little from one sender, and leaves much to the others.
    """

    def __init__(self, clock: Callable[[], datetime], connections: int):
        self._clock, self._connections = clock, connections
        self._waiting: SimpleQueue[Waiting | None] = SimpleQueue()
        self._thread = Thread(target=self._work, name="hand-over")

    def __enter__(self) -> Desk:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._waiting.put(None)
        self._thread.join()

    def hand_over(self, mail: Message, taken: Message | None = None) -> bool:
        """Whether `mail` may be given away now. Raises DatabaseError: then it may not."""
        answer: Future[bool] = Future()
        self._waiting.put((HandOver(mail, taken), answer))
        return answer.result()

    def _work(self) -> None:
        try:
            while first := self._waiting.get():
                self._commit([first, *self._others()])
        finally:
            connection.close()

    def _others(self) -> Iterator[Waiting]:
        until = time.monotonic() + MOMENT
        for _ in range(self._connections - 1):
            try:
                other = self._waiting.get(timeout=max(0, until - time.monotonic()))
            except Empty:
                return
            if other is None:
                self._waiting.put(None)  # the end, once this commit is done
                return
            yield other

    def _commit(self, group: list[Waiting]) -> None:
        try:
            handed = commit([one for one, _ in group], self._clock())
        except Exception as error:
            for _, answer in group:
                answer.set_exception(error)
            connection.close()  # a broken one is made anew for those who come next
        else:
            for one, answer in group:
                answer.set_result(one.mail.pk in handed)
