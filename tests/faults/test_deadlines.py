"""Fault 36 in small: `make deadlines` looks at a million of the same."""

import psycopg
import pytest
from django.db import connection

from tests.bench.deadlines import Database, measure

PAIRS = 2_000


@pytest.fixture
def cursor(db):
    with connection.cursor() as cursor:
        yield cursor.cursor


def test_a_deadline_is_72_elapsed_hours_in_every_zone_and_shown_as_that(cursor):
    found = measure(PAIRS, cursor)
    assert found["pairs"] == PAIRS
    assert found["zones"] > 400
    assert min(found["clocks_go_forward"], found["clocks_go_back"]) > 50
    assert (found["due_error_s"], found["display_error_s"]) == (0, 0)
    # The controls: what would go wrong, if anybody counted by the clock on the wall.
    assert found["control_wall_clock_wrong"] > 100
    assert found["control_three_days_wrong"] > 100


def test_a_rule_in_days_would_refuse_them_on_a_server_with_a_zone_of_its_own(cursor, monkeypatch):
    """The control of the constraint."""
    days = ["CHECK (due_at = started_at + interval '3 days')"] * 2
    monkeypatch.setattr(Database, "guards", lambda database: days)
    with pytest.raises(psycopg.errors.CheckViolation):
        measure(PAIRS, cursor)
