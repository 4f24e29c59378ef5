"""Visits are appended by a thread of their own, after the response and on a connection of its own.

That connection takes on a role of the database that may insert visits and do nothing else, so that
looking at a page cannot write even if the page is wrong. Nobody waits for a visit: when more come
than can be written, or the database does not take them, they are lost, and counted.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from contextlib import suppress
from datetime import datetime
from queue import Empty, Full, Queue
from typing import NamedTuple

import psycopg
from django.conf import settings
from django.db import connections
from psycopg import sql
from psycopg.errors import InsufficientPrivilege, InvalidParameterValue

from surveys.models.visits import AGENT_LENGTH

log = logging.getLogger(__name__)

MOST_WAITING = 2_000
TOGETHER = 0.5  # seconds in which visits gather, to be written at once
QUIET = 30.0  # seconds after which the connection is given back
RETRY = 60.0  # seconds after the database refused
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
COLUMNS = ("invitation_id", "what", "at", "client", "agent", "score")
COPY = sql.SQL("COPY surveys_visit ({}) FROM STDIN").format(
    sql.SQL(", ").join(map(sql.Identifier, COLUMNS))
)
NO_ROLE = (
    "visits are not kept, for the role %(role)s is missing. Let the database's administrator run: "
    "CREATE ROLE %(role)s NOLOGIN; GRANT INSERT ON surveys_visit TO %(role)s; "
    "GRANT %(role)s TO the user of DATABASE_URL"
)


class Seen(NamedTuple):
    """A visit to be: `what` is one of Visit.What, `client` a client_hash."""

    invitation_id: int
    what: str
    at: datetime
    client: str
    agent: str
    score: int | None = None


class Writer:
    """A bounded queue, and the thread that empties it into the database."""

    def __init__(self, most: int = MOST_WAITING):
        self.waiting: Queue[Seen] = Queue(maxsize=most)
        self.lost = 0
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._session: psycopg.Connection | None = None

    def note(self, seen: Seen) -> None:
        """Keep the visit if there is room. Never waits, never raises."""
        if not settings.RECORD_VISITS:
            return
        try:
            self.waiting.put_nowait(seen)
        except Full:
            self.lost += 1
        if self._thread is None or not self._thread.is_alive():  # also in a process just forked
            self._start()

    def write_waiting(self) -> int:
        """Write what waits, as the role; how many there were. Raises psycopg.Error."""
        batch: list[Seen] = []
        with suppress(Empty):
            while len(batch) < MOST_WAITING:
                batch.append(self.waiting.get_nowait())
        self._write(batch)
        return len(batch)

    def close(self) -> None:
        if self._session:
            self._session.close()
        self._session = None

    def _write(self, batch: list[Seen]) -> None:
        if not batch:
            return
        with self._as_role().cursor() as cursor, cursor.copy(COPY) as copy:
            for seen in batch:
                copy.write_row(seen._replace(agent=_shown(seen.agent)))

    def _as_role(self) -> psycopg.Connection:
        if self._session is None or self._session.closed:
            parameters = connections["default"].get_connection_params()
            self._session = psycopg.connect(**parameters, autocommit=True)
            role = sql.Identifier(role_of(self._session.info.dbname))
            self._session.execute(sql.SQL("SET ROLE {}").format(role))
        return self._session

    def _start(self) -> None:
        with self._starting:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="visits", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            try:
                first = self.waiting.get(timeout=QUIET)
            except Empty:
                self.close()
                continue
            time.sleep(TOGETHER)
            time.sleep(self._write_or_say_why(first))

    def _write_or_say_why(self, first: Seen) -> float:
        """One round; seconds until the next."""
        try:
            self._write([first])
            self.write_waiting()
        except (InsufficientPrivilege, InvalidParameterValue):
            role = role_of(connections["default"].settings_dict["NAME"])
            log.warning(NO_ROLE, {"role": role})
        except psycopg.Error as error:
            log.warning("visits are lost: %s", error)
        else:
            if self.lost:
                log.warning("%d visits came too fast and are lost", self.lost)
                self.lost = 0
            return 0.0
        self.close()
        return RETRY


def role_of(database: str) -> str:
    """Roles belong to the whole server: each database has one of its own."""
    return f"{database}_visits"


def _shown(agent: str) -> str:
    return UNPRINTABLE.sub("", agent)[:AGENT_LENGTH]


writer = Writer()
