"""Children are looked after, stopped with all they started, and outlive nobody."""

import os
import signal
import subprocess
import sys

import psutil
import pytest

from voc.embedded.servers import ROOT, Server, StartFailed, remember, run, stop_leftover
from voc.embedded.supervisor import Supervisor

# Stand-ins: one that leaves when asked, one that does not, and one with a child of its own.
POLITE = ["sleep", "600"]
STUBBORN = [sys.executable, "-c", "import signal, time; signal.signal(15, signal.SIG_IGN); "
            "print('deaf', flush=True); time.sleep(600)"]  # fmt: skip
PARENT = ["sh", "-c", "sleep 600 & echo $!; wait"]


def server(tmp_path, command, **more):
    return Server("stand-in", command, log=tmp_path / "log", pidfile=tmp_path / "x.pid", **more)


def said(tmp_path) -> str:
    return (tmp_path / "log").read_text()


def test_it_is_ready_when_it_says_so_and_gone_when_stopped(tmp_path):
    with server(tmp_path, PARENT, ready=lambda: said(tmp_path) != "") as parent:
        child = psutil.Process(int(said(tmp_path)))
        assert parent.alive
        assert child.is_running()
    assert not parent.alive
    assert not child.is_running()
    assert not (tmp_path / "x.pid").exists()


def test_one_that_does_not_listen_is_ended(tmp_path):
    deaf = server(tmp_path, STUBBORN, ready=lambda: "deaf" in said(tmp_path)).start()
    process = psutil.Process(deaf.pid)
    deaf.stop(patience=0.1)
    assert not process.is_running()


def test_one_that_ends_at_its_start_is_reported_with_its_log(tmp_path):
    with pytest.raises(StartFailed, match=r"stand-in did not start.*\n    \| no such table"):
        server(tmp_path, ["sh", "-c", "echo no such table; exit 3"], ready=lambda: False).start()


def test_one_that_never_gets_ready_is_stopped(tmp_path):
    slow = server(tmp_path, POLITE, ready=lambda: False)
    slow.patience = 0.1
    with pytest.raises(StartFailed, match="was not ready within 0 seconds"):
        slow.start()
    assert not slow.alive


def test_a_command_that_ends_by_itself_shows_and_returns_its_lines(tmp_path):
    shown = []
    lines = run(server(tmp_path, ["printf", "one\\ntwo\\n"]), shown.append)
    assert (lines, shown) == (["one", "two"], ["one", "two"])
    with pytest.raises(StartFailed, match="ended with status 4"):
        run(server(tmp_path, ["sh", "-c", "exit 4"]), shown.append)


def test_the_dead_are_started_again_after_longer_and_longer_pauses(tmp_path, capsys):
    supervisor = Supervisor()
    mortal = supervisor.add(server(tmp_path, POLITE))
    pauses = []
    for death in range(4):
        now = 10.0 * death
        os.kill(mortal.pid, signal.SIGKILL)
        mortal.process.wait()
        supervisor.look(now)
        pause = 2.0**death
        supervisor.look(now + pause - 0.1)
        before = mortal.alive
        supervisor.look(now + pause)
        pauses.append((before, mortal.alive))
    assert pauses == [(False, True)] * 4
    assert capsys.readouterr().out.count("stand-in was ended by SIGKILL; starting it again") == 4
    os.kill(mortal.pid, signal.SIGKILL)
    mortal.process.wait()
    with pytest.raises(StartFailed, match="5 times within a minute"):
        supervisor.look(40.0)


def test_the_last_one_started_stops_first(tmp_path):
    stopped = []

    class Noting(Server):
        def stop(self, patience=None):
            stopped.append(self.name)
            super().stop(patience)

    supervisor = Supervisor()
    for name in ("database", "broker", "web"):
        supervisor.add(Noting(name, POLITE, log=tmp_path / "log"))
    supervisor.stop()
    assert stopped == ["web", "broker", "database"]
    assert [one.alive for one in supervisor.servers] == [False] * 3


ABANDONER = """
import os, signal, sys
from pathlib import Path
from tests.voc.test_embedded_servers import POLITE, STUBBORN, server, said
here = Path(sys.argv[1])
(here / "a").mkdir(), (here / "b").mkdir()
polite = server(here / "a", POLITE).start()
stubborn = server(here / "b", STUBBORN, ready=lambda: "deaf" in said(here / "b")).start()
print(polite.pid, stubborn.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_run_left_behind_is_stopped_by_the_next(tmp_path):
    abandoner = subprocess.run(
        [sys.executable, "-c", ABANDONER, str(tmp_path)], cwd=ROOT, capture_output=True, text=True
    )
    assert abandoner.returncode == -signal.SIGKILL
    stubborn = psutil.Process(int(abandoner.stdout.split()[1]))
    assert stubborn.is_running()  # it did not listen to its parent's death
    assert stop_leftover(tmp_path / "b" / "x.pid", patience=0.1) is True
    stop_leftover(tmp_path / "a" / "x.pid")
    assert [psutil.pid_exists(int(pid)) for pid in abandoner.stdout.split()] == [False, False]
    assert stop_leftover(tmp_path / "b" / "x.pid") is False


def test_a_number_that_belongs_to_somebody_else_by_now_is_left_alone(tmp_path):
    with server(tmp_path, POLITE) as bystander:
        pidfile = tmp_path / "old.pid"
        remember(pidfile, bystander.pid, signal.SIGTERM)
        pid, began, number = pidfile.read_text().split()
        pidfile.write_text(f"{pid} {float(began) - 3600} {number}\n")
        assert stop_leftover(pidfile) is False
        assert bystander.alive
