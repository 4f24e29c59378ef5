"""The moment from which a server may have a mail: committed between its 354 and the body.

Each connection of a sender has at most one mail in this state, so that a sender that dies leaves
at most one in doubt for each. Connections that stand there at the same moment share one commit,
for a commit costs the disk as much for ten mails as for one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from datetime import datetime
from queue import Empty, SimpleQueue
from threading import Thread
from typing import NamedTuple

import psycopg
from django.db import connection

from surveys.delivery.wanted import STILL_WANTED
from surveys.models import Message, Suppression

COMMIT = f"""
    WITH taken AS (
        SELECT * FROM unnest(
            %(taken)s::bigint[], %(taken_leases)s::uuid[], %(sent_at)s::timestamptz[],
            %(provider_ids)s::text[]
        ) AS taken(id, lease, sent_at, provider_id)
    ), written_down AS (
        UPDATE surveys_message AS message
        SET state = 'sent', sent_at = taken.sent_at, provider_id = taken.provider_id,
            last_error = ''
        FROM taken
        WHERE message.id = taken.id AND message.lease = taken.lease
            AND message.state IN ('sending', 'in_doubt')
    ), given AS (
        SELECT * FROM unnest(
            %(given)s::bigint[], %(leases)s::uuid[], %(message_ids)s::text[], %(emails)s::text[],
            %(digests)s::bytea[]
        ) AS given(id, lease, message_id, email, digest)
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


def commit(waiting: Sequence[HandOver], now: datetime) -> set[int]:
    """One statement for all that wait: what was taken is sent, and what follows is handed over.

    Returns the keys of the mails that may be given away: those that are still ours and still
    wanted. Prepared, because planning takes PostgreSQL longer than running it.
    """
    connection.ensure_connection()
    session = connection.connection
    session.prepare_threshold = 1  # Django turns it off, for the sake of poolers between
    with psycopg.Cursor(session) as cursor:
        cursor.execute(COMMIT, _parameters(waiting, now), prepare=True)
        return {key for (key,) in cursor.fetchall()}


def _parameters(waiting: Sequence[HandOver], now: datetime) -> dict:
    mails = [one.mail for one in waiting]
    taken = [one.taken for one in waiting if one.taken]
    emails = [_address(mail) for mail in mails]
    return {
        "now": now,
        "given": [mail.pk for mail in mails],
        "leases": [mail.lease for mail in mails],
        "message_ids": [mail.message_id for mail in mails],
        "emails": emails,
        "digests": [Suppression.hash(email) for email in emails],
        "taken": [mail.pk for mail in taken],
        "taken_leases": [mail.lease for mail in taken],
        "sent_at": [mail.sent_at for mail in taken],
        "provider_ids": [mail.provider_id for mail in taken],
    }


def _address(mail: Message) -> str:
    return (mail.invitation.customer.email or "") if mail.invitation else ""


class Desk:
    """Where the connections of one sender wait for the commit; it has a thread of its own."""

    def __init__(self, clock: Callable[[], datetime]):
        self._clock = clock
        self._waiting: SimpleQueue[tuple[HandOver, Future[bool]] | None] = SimpleQueue()
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

    def _others(self) -> list[tuple[HandOver, Future[bool]]]:
        others: list[tuple[HandOver, Future[bool]]] = []
        try:
            while other := self._waiting.get_nowait():
                others.append(other)
            self._waiting.put(None)  # nobody waits after the end
        except Empty:
            pass
        return others

    def _commit(self, group: list[tuple[HandOver, Future[bool]]]) -> None:
        try:
            handed = commit([one for one, _ in group], self._clock())
        except Exception as error:
            for _, answer in group:
                answer.set_exception(error)
            connection.close()  # a broken one is made anew for those who come next
        else:
            for one, answer in group:
                answer.set_result(one.mail.pk in handed)
