"""A private PostgreSQL keeps its data through every way of ending, whoever we are."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import psycopg
import pytest

from voc.embedded.postgres import Postgres, program
from voc.embedded.servers import ROOT, StartFailed
from voc.embedded.unprivileged import WALK_THROUGH

AS_ROOT = os.geteuid() == 0
NAMELESS = "54321"  # a user without an entry in /etc/passwd


def connect(server: Postgres) -> psycopg.Connection:
    return psycopg.connect(host=str(server.sockets), user="voc", dbname="voc", autocommit=True)


def kept(server: Postgres) -> list[int]:
    with connect(server) as connection:
        return [row[0] for row in connection.execute("SELECT n FROM kept ORDER BY n")]


def keep(server: Postgres, *numbers: int) -> None:
    with connect(server) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (n int)")
        for number in numbers:
            connection.execute("INSERT INTO kept VALUES (%s)", [number])


def test_data_are_kept_from_one_start_to_the_next(tmp_path):
    with Postgres(tmp_path / "pg", fsync=False) as server:
        keep(server, 1, 2)
    with Postgres(tmp_path / "pg", fsync=False) as server:
        assert kept(server) == [1, 2]
    assert not server.alive


def test_a_killed_server_starts_again_with_every_committed_row(tmp_path):
    with Postgres(tmp_path / "pg") as server:
        keep(server, 1, 2, 3)
        os.kill(server.pid, signal.SIGKILL)
        server.stop()
        assert (tmp_path / "pg" / "postmaster.pid").exists()
        server.start()
        assert kept(server) == [1, 2, 3]


def test_a_lock_file_with_somebody_elses_number_does_not_block(tmp_path):
    with Postgres(tmp_path / "pg", fsync=False) as server:
        keep(server, 1)
    (tmp_path / "pg" / "postmaster.pid").write_text(f"{os.getppid()}\n{tmp_path / 'pg'}\n")
    with server:
        assert kept(server) == [1]


def test_a_living_server_on_the_same_data_is_named_and_left_alone(tmp_path):
    second = Postgres(tmp_path / "pg", fsync=False)
    second.leaving = 0.1
    with Postgres(tmp_path / "pg", fsync=False) as server:
        keep(server, 1)
        with pytest.raises(StartFailed, match=f"another PostgreSQL, process {server.pid}"):
            second.start()
        assert kept(server) == [1]


def test_a_first_start_that_was_cut_short_leaves_nothing_half_made(tmp_path):
    (tmp_path / "pg.new").mkdir()
    (tmp_path / "pg.new" / "PG_VERSION").write_text("18\n")
    with Postgres(tmp_path / "pg", fsync=False) as server:
        keep(server, 7)
        assert kept(server) == [7]
    assert not (tmp_path / "pg.new").exists()


def test_data_of_another_version_are_refused_with_what_to_do(tmp_path):
    (tmp_path / "pg").mkdir()
    (tmp_path / "pg" / "PG_VERSION").write_text("15\n")
    with pytest.raises(StartFailed, match=r"written by PostgreSQL 15, and this is 18.*pg_dump"):
        Postgres(tmp_path / "pg").start()


def test_settings_are_durable_unless_told_otherwise(tmp_path):
    shown = {}
    for fsync in (True, False):
        with Postgres(tmp_path / "pg", fsync=fsync) as server, connect(server) as connection:
            shown[fsync] = [
                connection.execute(f"SHOW {name}").fetchone()[0]
                for name in ("fsync", "synchronous_commit", "server_encoding", "listen_addresses")
            ]
    assert shown == {True: ["on", "on", "UTF8", ""], False: ["off", "off", "UTF8", ""]}


def test_a_path_too_long_for_a_socket_gets_a_short_one(tmp_path):
    deep = tmp_path / ("d" * 90) / "pg"
    with Postgres(deep, fsync=False) as server:
        keep(server, 1)
        assert kept(server) == [1]
        sockets = server.sockets
        assert sockets != deep
        assert sockets.stat().st_mode & 0o777 == 0o700
    assert not sockets.exists()


def test_it_stops_when_whoever_started_it_is_killed(tmp_path):
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER, str(tmp_path / "pg")], cwd=ROOT, stdout=subprocess.PIPE
    )
    pid = int(starter.stdout.readline())
    server = psutil.Process(pid)
    assert server.is_running()
    starter.kill()
    starter.communicate()
    gone, alive = psutil.wait_procs([server], timeout=20)
    assert (len(gone), len(alive)) == (1, 0)
    with Postgres(tmp_path / "pg", fsync=False) as again:
        assert kept(again) == [4]


STARTER = """
import sys, time
from pathlib import Path
from tests.voc.test_embedded_postgres import keep
from voc.embedded.postgres import Postgres
server = Postgres(Path(sys.argv[1]), fsync=False).start()
keep(server, 4)
print(server.pid, flush=True)
time.sleep(600)
"""


def people() -> list[str]:
    """Everybody that this machine lets us be."""
    if not AS_ROOT:
        return [str(os.geteuid())]
    reachable = all(parent.stat().st_mode & 0o001 for parent in program("postgres").parents)
    return ["root", "nobody", *([NAMELESS] if reachable else [])]


@pytest.fixture
def home():
    """A directory that others can walk to, unlike root's own temporary ones."""
    with tempfile.TemporaryDirectory(prefix="voc-test-") as path:
        yield Path(path)


@pytest.mark.parametrize("mode", [0o755, 0o700], ids=["open", "closed"])
@pytest.mark.parametrize("person", people())
def test_it_starts_for_everybody_in_every_directory(home, person, mode):
    home.chmod(mode)
    become = []
    if AS_ROOT and person != "root":
        subprocess.run(["chown", person, str(home)], check=True)
        # Our interpreter may stand where only root can go: let them walk to it.
        become = ["setpriv", f"--reuid={person}", "--clear-groups", *WALK_THROUGH]
    done = subprocess.run(
        [*become, sys.executable, "-c", VISITOR, str(home / "pg")],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert (done.stdout.split(), done.returncode) == (["[5]", "[5]"], 0), done.stderr
    assert (home / "pg").stat().st_uid != (0 if AS_ROOT else None)


VISITOR = """
import sys
from pathlib import Path
from tests.voc.test_embedded_postgres import keep, kept
from voc.embedded.postgres import Postgres
for start in range(2):
    with Postgres(Path(sys.argv[1]), fsync=False) as server:
        if start == 0:
            keep(server, 5)
        print(kept(server))
"""
