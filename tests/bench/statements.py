"""How many SQL statements something costs: PostgreSQL's own log tells, whoever sent them."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from tests.bench import house

LOGGED = re.compile(r"^.*LOG:  (?:statement|execute [^:]*): ?(?:\n\t)*(.*)$", re.MULTILINE)
AROUND = re.compile(r"$|BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|SET TRANSACTION", re.IGNORECASE)
SETTLED = 0.3  # seconds after which also what follows a response has been logged


def statements_of(work: Callable[[], object], name: str) -> int:
    """Statements of the database's owner, without those that only begin and end a transaction,
    and without the question of the pool whether its connection still lives."""
    _log("all")
    at = house.DATABASE.log.stat().st_size
    work()
    time.sleep(SETTLED)
    with house.DATABASE.log.open(errors="replace") as log:
        log.seek(at)
        sent = LOGGED.findall(log.read())
    _log("none")
    counted = [one for one in sent if not AROUND.match(one)]
    print(f"{name}: {len(counted)} statements, {len(sent)} with those around them", flush=True)
    return len(counted)


def _log(which: str) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("ALTER SYSTEM SET log_statement = %s", [which])
        cursor.execute("SELECT pg_reload_conf()")
    time.sleep(SETTLED)
