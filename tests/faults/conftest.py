"""A mail server that can be told to misbehave, one invitation, and senders that die."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest
from django.db import connection
from django.utils import timezone

from surveys.loop import ask
from surveys.models import Message
from tests.faults.sink import Sink
from voc.embedded.ports import LOOPBACK

ROOT = Path(__file__).resolve().parents[2]


def url_of(name: str = "") -> str:
    """The DATABASE_URL of this test's database, or of another one on its server."""
    database = connection.settings_dict
    return (
        f"postgres://{database['USER']}:{quote(database['PASSWORD'], safe='')}@/"
        f"{name or database['NAME']}?host={database['HOST'] or database['OPTIONS'].get('host', '')}"
        f"&port={database['PORT'] or 5432}"
    )


def environment() -> dict[str, str]:
    """What another process needs to work on this test's database."""
    return {
        "DJANGO_SETTINGS_MODULE": "voc.settings",
        "DATABASE_URL": url_of(),
        "CELERY_BROKER_URL": "redis://127.0.0.1:1/0",
        "LOG_LEVEL": "CRITICAL",
    }


@pytest.fixture
def sink(settings):
    with Sink() as server:
        settings.EMAIL_HOST, settings.EMAIL_PORT = LOOPBACK, server.port
        settings.EMAIL_TIMEOUT = 5
        yield server


@pytest.fixture
def mail(sink, nps, customer) -> Message:
    """One invitation, due now."""
    ask.invite(nps, [customer], "test:1", timezone.now())
    return Message.objects.get()


@pytest.fixture
def sender(sink):
    """Starts tests/faults/sender.py on this test's database and mail server."""
    started = []
    here = environment() | {"EMAIL_URL": f"smtp://{LOOPBACK}:{sink.port}"}

    def start(*arguments: str) -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.sender", *arguments],
            cwd=ROOT,
            env=os.environ | here,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture
def clockwork(sink):
    """Runs tests/faults/clockwork.py on this test's database and mail server."""
    here = os.environ | environment() | {"EMAIL_URL": f"smtp://{LOOPBACK}:{sink.port}"}

    def run(*options: str) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "tests.faults.clockwork", *options],
            cwd=ROOT,
            env=here,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        assert "failed; the other sweeps go on" not in done.stderr, done.stderr

    return run
