"""`make deadlines`: is every deadline 72 elapsed hours after its answer, and shown as what it is?

Pairs of an IANA zone and an instant (PAIRS=1000000): every zone, and in each the hours around the
changes of its clocks, both ways, so that about a third of the deadlines fall into or right after
one. Three look at each pair:

- arithmetic: `due_at` minus the answer is 72 hours, to the microsecond;
- the page: what a reader in the zone sees, written as the admin writes it, is the same instant;
- PostgreSQL, in a session of that zone, by the very constraint that guards the tasks: so a restore
  or a repair by hand on a server with a zone of its own is not refused.

The controls, of the same pairs: 72 hours on the clock on the wall, and `interval '3 days'`.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

HOUR, WEEK = timedelta(hours=1), timedelta(weeks=1)
FIRST, LAST = datetime(2024, 1, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC)
CONSTRAINTS = ["due_72_elapsed_hours_after_start", "second_deadline_24_hours_after_denial"]
Pair = tuple[datetime, datetime, datetime]  # answered, due, due for the second time


def changes(zone: ZoneInfo) -> list[datetime]:
    """When the clocks of the zone change, to the minute, in UTC."""
    weeks = [FIRST + n * WEEK for n in range((LAST - FIRST) // WEEK)]
    offsets = [week.astimezone(zone).utcoffset() for week in weeks]
    spans = zip(weeks, offsets, offsets[1:], strict=False)
    return [_found(zone, week) for week, before, after in spans if before != after]


def _found(zone: ZoneInfo, low: datetime) -> datetime:
    high, offset = low + WEEK, low.astimezone(zone).utcoffset()
    while high - low > timedelta(minutes=1):
        middle = low + (high - low) / 2
        low, high = (
            (middle, high) if middle.astimezone(zone).utcoffset() == offset else (low, middle)
        )
    return high


def instants(zone: ZoneInfo, number: int, dice: random.Random) -> Iterator[datetime]:
    """Answers: every third is due, or was given, within two hours of a change of the clocks."""
    known = changes(zone)
    for place in range(number):
        if known and place % 3 == 0:
            near = known[place // 3 % len(known)] + dice.uniform(-2, 2) * HOUR
            yield near - (72 * HOUR if place % 2 else timedelta(0))
        else:
            yield FIRST + dice.random() * (LAST - FIRST)


def due(answered: datetime) -> tuple[datetime, datetime]:
    """As the verbs say it, for the first time and, of a denial at that instant, the second."""
    from surveys.models import DEADLINE, SECOND_DEADLINE

    return answered + DEADLINE, answered + SECOND_DEADLINE


def error_of_display(at: datetime, zone: ZoneInfo) -> float:
    """Seconds between `at` and what a reader in the zone finds on the page."""
    shown = _written(at.astimezone(zone))
    return abs((datetime.fromisoformat(shown) - at).total_seconds())


def _written(local: datetime) -> str:
    from django.utils import dateformat

    return dateformat.format(local, "c")


class Database:
    """A table of deadlines under the constraints that guard those of tasks; `cursor` is psycopg's,
    on a migrated database."""

    def __init__(self, cursor: Any):
        self.cursor = cursor
        self.zones = {row[0] for row in self._rows("SELECT name FROM pg_timezone_names")}
        guards = self.guards()
        assert len(guards) == len(CONSTRAINTS)
        rules = ", ".join(guards)
        self._rows(f"""CREATE TEMP TABLE deadlines (
            started_at timestamptz, due_at timestamptz, denied_at timestamptz,
            second_due_at timestamptz, second_contact_at timestamptz, {rules})""")

    def guards(self) -> list[str]:
        names = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = ANY(%s)"
        return [row[0] for row in self._rows(names, CONSTRAINTS)]

    def _rows(self, statement: str, *values: Any) -> list[tuple]:
        done = self.cursor.execute(statement, values or None)
        return done.fetchall() if done.description else []

    def look(self, zone: str, pairs: list[Pair]) -> Counter[str]:
        """Keeps the pairs in a session of that zone, if PostgreSQL knows it by its name."""
        if zone not in self.zones:
            return Counter(zones_unknown_to_postgresql=1)
        self._rows("SELECT set_config('TimeZone', %s, false)", zone)
        with self.cursor.copy("COPY deadlines FROM STDIN") as copy:
            for answered, due_at, second in pairs:
                copy.write_row((answered, due_at, answered, second, None))
        ((kept, error, three_days),) = self._rows(LOOK)
        self._rows("TRUNCATE deadlines")
        self._rows("SET TIME ZONE 'UTC'")
        return Counter(
            kept_by_postgresql=kept, due_error_s=float(error), control_three_days_wrong=three_days
        )


LOOK = """
SELECT count(*),
       coalesce(sum(abs(extract(epoch FROM due_at) - extract(epoch FROM started_at) - 259200)), 0),
       count(*) FILTER (WHERE started_at + interval '3 days' <> due_at)
FROM deadlines
"""


def look(zone: ZoneInfo, pairs: list[Pair]) -> Counter[str]:
    """How many of the zone's pairs cross which change, and how many are wrong, and how."""
    found: Counter[str] = Counter(pairs=len(pairs), zones=1)
    for answered, due_at, second in pairs:
        shift = due_at.astimezone(zone).utcoffset() - answered.astimezone(zone).utcoffset()
        found["clocks_go_forward"] += shift > timedelta(0)
        found["clocks_go_back"] += shift < timedelta(0)
        found["due_error_s"] += abs((due_at - answered - 72 * HOUR).total_seconds())
        found["due_error_s"] += abs((second - answered - 24 * HOUR).total_seconds())
        found["display_error_s"] += error_of_display(due_at, zone)
        on_the_wall = (answered.astimezone(zone) + 72 * HOUR).astimezone(UTC)
        found["control_wall_clock_wrong"] += on_the_wall != due_at
    return found


def measure(number: int, cursor: Any, seed: int = 72) -> dict[str, float]:
    """The figures of so many pairs over all zones."""
    database = Database(cursor)
    dice, zones = random.Random(seed), sorted(available_timezones())
    total: Counter[str] = Counter(due_error_s=0, display_error_s=0)
    for place, name in enumerate(zones):
        share = number // len(zones) + (place < number % len(zones))
        zone = ZoneInfo(name)
        pairs = [(at, *due(at)) for at in instants(zone, share, dice)]
        total.update(look(zone, pairs))
        total.update(database.look(name, pairs))
    return {name: round(value, 6) for name, value in total.items()}


def main() -> int:
    from tests.bench import house

    with house.DATABASE:
        migrate = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
        subprocess.run(migrate, cwd=house.ROOT, check=True)
        house.start_django()
        from django.db import connection

        with connection.cursor() as cursor:
            found = measure(int(os.environ.get("PAIRS", "1000000")), cursor.cursor)
    print(json.dumps(found))
    return int(found["due_error_s"] + found["display_error_s"] > 0)


if __name__ == "__main__":
    sys.exit(main())
