"""`make run` brings everything up, once, and leaves nothing behind however it ends.

The servers are real; the product is a stand-in of three files, so that this tests the machinery.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from voc.embedded.ports import LOOPBACK, NoPort, first_free, is_free
from voc.embedded.servers import ROOT

READY = "Ctrl-C stops everything."
NAMED_BY_US = ("DATABASE_URL", "CELERY_BROKER_URL", "REDIS_URL", "EMAIL_URL", "SITE_URL", "PORT")

PRODUCT = {
    "voc/__init__.py": "",
    "voc/wsgi.py": """
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"stand-in"]
""",
    "voc/celery.py": """
import os
from celery import Celery
app = Celery("voc", broker=os.environ["CELERY_BROKER_URL"])
""",
    "manage.py": """
import os, sys, time
import psycopg
connection = psycopg.connect(
    host=os.environ["DATABASE_URL"].partition("host=")[2], user="voc", dbname="voc", autocommit=True
)
if sys.argv[1] == "migrate":
    connection.execute("CREATE TABLE IF NOT EXISTS runs (at timestamptz DEFAULT now())")
    connection.execute("INSERT INTO runs DEFAULT VALUES")
elif sys.argv[1:] == ["demo", "--logins"]:
    print("ada@northwind.example  a-password  administrator")
elif sys.argv[1] == "demo":
    print("run number", connection.execute("SELECT count(*) FROM runs").fetchone()[0])
elif sys.argv[1] == "clock":
    time.sleep(600)
else:
    sys.exit(f"unknown command {sys.argv[1]}")
""",
}


@pytest.fixture
def checkout(tmp_path) -> Path:
    shutil.copytree(ROOT / "voc" / "embedded", tmp_path / "voc" / "embedded")
    for name, text in PRODUCT.items():
        (tmp_path / name).write_text(text)
    return tmp_path


class Run:
    """One `make run` in a checkout, and what it printed so far."""

    def __init__(self, checkout: Path, port: int, **environment: str):
        self.output = checkout / "output"
        ours = {name: value for name, value in os.environ.items() if name not in NAMED_BY_US}
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "voc.embedded"],
                cwd=checkout,
                env=ours | {"PORT": str(port), "SMTP_PORT": str(port + 50), **environment},
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def said(self) -> str:
        return self.output.read_text()

    def until_ready(self) -> "Run":
        while READY not in self.said:
            assert self.process.poll() is None, self.said
            time.sleep(0.1)
        return self

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait()


@contextmanager
def running(checkout: Path, port: int, **environment: str) -> Iterator[Run]:
    run = Run(checkout, port, **environment)
    try:
        yield run.until_ready()
    finally:
        run.end()


def inhabitants(checkout: Path) -> list[str]:
    """The living processes that were started from this checkout."""
    found = []
    for process in psutil.process_iter():
        try:
            if Path(process.cwd()).is_relative_to(checkout):
                found.append(process.name())
        except (psutil.Error, OSError):
            continue
    return found


def page(port: int) -> bytes:
    return urllib.request.urlopen(f"http://{LOOPBACK}:{port}/", timeout=5).read()


def test_it_starts_everything_keeps_the_data_and_stops_everything(checkout):
    port, var = first_free(18100), checkout / "var"
    with running(checkout, port) as first:
        assert page(port) == b"stand-in"
        assert "ada@northwind.example  a-password  administrator" in first.said
        assert "run number 1" in first.said
        assert {"postgres", "valkey-server"} < set(inhabitants(checkout))
        modes = [(var / name).stat().st_mode & 0o777 for name in ("secret_key", "run.env")]
        key = (var / "secret_key").read_text()
    assert first.process.returncode == 0
    assert inhabitants(checkout) == []
    assert modes == [0o600, 0o600]
    with running(checkout, port) as again:
        assert "run number 2" in again.said
        assert (var / "secret_key").read_text() == key
        refused = subprocess.run(
            [sys.executable, "-m", "voc.embedded"], cwd=checkout, capture_output=True, text=True
        )
        assert refused.returncode == 1
        assert f"already running in this checkout, at http://{LOOPBACK}:{port}/" in refused.stdout
        assert f"kill {again.process.pid}" in refused.stdout
        assert page(port) == b"stand-in"


def test_a_killed_run_leaves_nothing_that_blocks_the_next(checkout):
    port = first_free(18300)
    killed = Run(checkout, port).until_ready()
    assert inhabitants(checkout)
    assert killed.end(signal.SIGKILL) == -signal.SIGKILL
    with running(checkout, port) as again:
        assert "run number 2" in again.said
        assert page(int(again.said.partition(f"http://{LOOPBACK}:")[2].partition("/")[0]))
    assert inhabitants(checkout) == []


def test_a_killed_child_is_named_and_started_again(checkout):
    port = first_free(18400)
    with running(checkout, port) as run:
        for name in ("postgres", "web"):
            pid = int((checkout / "var" / "pids" / f"{name}.pid").read_text().split()[0])
            os.kill(pid, signal.SIGKILL)
        while "PostgreSQL 18 runs again" not in run.said or "web runs again" not in run.said:
            assert run.process.poll() is None, run.said
            time.sleep(0.1)
        assert "PostgreSQL 18 was ended by SIGKILL; starting it again in 1 s" in run.said


def test_a_taken_port_moves_on_and_says_so(checkout):
    port = first_free(18500)
    with socket.create_server((LOOPBACK, port)), running(checkout, port) as run:
        assert f"port {port} is taken, using {port + 1}" in run.said
        assert page(port + 1) == b"stand-in"
        assert f"SITE_URL=http://{LOOPBACK}:{port + 1}\n" in (checkout / "var/run.env").read_text()


def test_servers_that_the_environment_names_are_not_started(checkout):
    servers = {"CELERY_BROKER_URL": "memory://", "EMAIL_URL": "smtp://mail.example:25"}
    with running(checkout, first_free(18600), **servers) as run:
        started = {path.stem for path in (checkout / "var" / "pids").iterdir()}
        assert started == {"postgres", "web", "worker", "clock"}
        assert "/inbox/" not in run.said


def test_a_command_that_fails_stops_everything_and_shows_why(checkout):
    (checkout / "manage.py").write_text("import sys; sys.exit('column nope does not exist')")
    run = Run(checkout, first_free(18700))
    assert run.process.wait() == 1
    assert "manage.py migrate ended with status 1" in run.said
    assert "| column nope does not exist" in run.said
    assert inhabitants(checkout) == []


def test_ports_are_tried_one_after_the_other():
    port = first_free(18900)
    with socket.create_server((LOOPBACK, port)):
        assert not is_free(port)
        assert first_free(port) > port
    assert first_free(port, frozenset({port})) > port
    with socket.create_server((LOOPBACK, 0)) as last:
        number = last.getsockname()[1]
        with pytest.raises(NoPort, match=f"No free port from {number}"):
            first_free(number, frozenset(range(number, 65_536)))
