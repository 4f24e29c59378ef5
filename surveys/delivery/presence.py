"""How the others know that a sender lives: it holds a lock that PostgreSQL frees when it dies."""

from __future__ import annotations

import secrets
from itertools import chain

import psycopg
from django.db import connections

# A host that dies sends no goodbye; the server then notices after about 11 seconds.
STILL_THERE = {"tcp_keepalives_idle": 5, "tcp_keepalives_interval": 2, "tcp_keepalives_count": 3}
TAKE = "SELECT pg_advisory_lock(%s)" + ", set_config(%s, %s, false)" * len(STILL_THERE)


class Presence:
    """A session-level advisory lock on a connection of its own, outside of the pool.

    `key` is written into each row that this sender claims. Whoever can take the lock of that key
    knows that the sender is dead, and may free its rows at once (PostgreSQL manual, 13.3.5).
    """

    def __init__(self) -> None:
        self.key = secrets.randbits(62)

    def __enter__(self) -> Presence:
        parameters = connections["default"].get_connection_params()
        self._session = psycopg.connect(**parameters, autocommit=True)
        settings = chain.from_iterable(STILL_THERE.items())
        self._session.execute(TAKE, [self.key, *map(str, settings)])
        return self

    def __exit__(self, *exception: object) -> None:
        self._session.close()

    def is_lost(self) -> bool:
        """Whether the session has ended, and with it the lock: others may have our rows."""
        try:
            self._session.execute("SELECT 1")
        except psycopg.Error:
            return True
        return False
