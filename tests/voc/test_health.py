"""/healthz answers while the process lives; /readyz says which part is not in order."""

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from surveys.models import Tick
from voc.health import STALE_AFTER

ROOT = Path(__file__).resolve().parents[2]


def ready(client) -> tuple[int, dict]:
    response = client.get("/readyz")
    return response.status_code, response.json()


@pytest.fixture
def ticking(db):
    Tick.objects.create(name="surveys.tasks.send_mail", at=timezone.now())


def test_healthz_asks_nothing_of_the_database(client):
    """Without the `db` fixture, any query would fail this test."""
    response = client.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_ready_when_all_is_in_order(client, ticking):
    assert ready(client) == (200, {"database": "ok", "migrations": "ok", "clock": "ok"})


@pytest.mark.django_db
def test_not_ready_before_the_clock_has_ever_ticked(client):
    assert ready(client) == (
        503,
        {"database": "ok", "migrations": "ok", "clock": "never ticked"},
    )


def test_not_ready_when_the_clock_has_stopped(client, ticking):
    Tick.objects.update(at=timezone.now() - timedelta(seconds=STALE_AFTER + 5))
    status, parts = ready(client)
    assert status == 503
    assert parts["clock"].startswith("last tick 6")


def test_the_youngest_tick_counts(client, ticking):
    Tick.objects.create(name="surveys.tasks.plan_waves", at=timezone.now() - timedelta(days=1))
    assert ready(client)[0] == 200


def test_not_ready_while_migrations_are_missing(client, ticking):
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'sessions'")
    assert ready(client) == (503, {"database": "ok", "migrations": "1 pending", "clock": "ok"})


def test_probes_write_nothing_and_cost_little(client, ticking, django_assert_num_queries):
    with django_assert_num_queries(3):  # is there a table of migrations, which, the last tick
        ready(client)


def test_probes_come_over_plain_http(client, ticking, settings):
    settings.SECURE_SSL_REDIRECT = True
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 200
    assert client.get("/admin/").status_code == 301


WITHOUT_A_DATABASE = """
import django
django.setup()
from django.test import Client
for path in ("/healthz", "/readyz"):
    response = Client(HTTP_HOST="127.0.0.1").get(path)
    print(response.status_code, response.json())
"""


@pytest.mark.parametrize("testing", ["1", "0"])  # without the connection pool, and with it
def test_without_a_database_alive_but_not_ready(tmp_path, testing):
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "voc.settings",
        "DATABASE_URL": f"postgres://voc@/voc?host={tmp_path}",
        "SECRET_KEY": "made up for this test",
        "TESTING": testing,
    }
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_A_DATABASE],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.stdout.splitlines() == [
        "200 {'status': 'ok'}",
        "503 {'database': 'unreachable'}",
    ], done.stderr
