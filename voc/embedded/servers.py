"""One child process each: started, watched until it is ready, stopped with all it started."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Self

import psutil

ROOT = Path(__file__).resolve().parents[2]
LONGEST_SOCKET_PATH = 103  # bytes: fits Linux (108) and macOS (104), with the final zero
TAIL_LINES = 15
TAIL_BYTES = 16_384


class StartFailed(Exception):
    """A child could not be started; the message says which, why, and the end of its log."""


class Server:
    """A command that runs until it is stopped.

    `log` takes its output, `pidfile` remembers it for the next start, `ready` says when others may
    use it. `patience` is the time in seconds that it has to get ready, and again to stop by itself.
    Subclasses may override `prepare`, `command` and `ready`, and the class attributes.
    """

    stop_signal = signal.SIGTERM
    patience = 30.0

    def __init__(
        self,
        name: str,
        command: list[str] | None = None,
        *,
        log: Path,
        pidfile: Path | None = None,
        environment: dict[str, str] | None = None,
        ready: Callable[[], bool] | None = None,
    ):
        self.name, self.log, self.pidfile, self.environment = name, log, pidfile, environment
        self._command, self._ready = command or [], ready
        self.process: subprocess.Popen[bytes] | None = None

    def prepare(self) -> None:
        """Do what must be done before each start. Raises StartFailed."""

    def command(self) -> list[str]:
        """The program and its arguments."""
        return self._command

    def wrapper(self) -> list[str]:
        """What stands before the command: Linux signals the child when we die, however we die."""
        setpriv = shutil.which("setpriv") if sys.platform == "linux" else None
        return [setpriv, "--pdeathsig", self.stop_signal.name[3:]] if setpriv else []

    def ready(self) -> bool:
        """Whether others may use it now."""
        return self._ready is None or self._ready()

    def launch(self) -> None:
        """Start it, and do not wait until it is ready. Raises StartFailed."""
        self.prepare()
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.wrapper() + self.command(),
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches us alone, and we stop them in order
            )
        if self.pidfile:
            remember(self.pidfile, self.process.pid, self.stop_signal)

    def start(self) -> Self:
        """Start it and wait until it is ready. Raises StartFailed."""
        self.launch()
        self.wait_ready()
        return self

    def wait_ready(self) -> None:
        """Raises StartFailed when it ends, or is not ready within `patience`."""
        deadline = time.monotonic() + self.patience
        while self.alive:
            if self.ready():
                return
            if time.monotonic() > deadline:
                self.stop()
                raise StartFailed(self.report(f"was not ready within {self.patience:.0f} seconds"))
            time.sleep(0.05)
        self.stop()
        raise StartFailed(self.report("did not start"))

    @property
    def pid(self) -> int | None:
        """Its process number, while it was started and not yet stopped."""
        return self.process.pid if self.process else None

    @property
    def exit_status(self) -> int | None:
        """What it ended with, negative for a signal; None while it lives or after `stop`."""
        return self.process.poll() if self.process else None

    @property
    def alive(self) -> bool:
        """Whether it was started and has not ended."""
        return self.process is not None and self.process.poll() is None

    def stop(self, patience: float | None = None) -> None:
        """Ask it to stop; after `patience` seconds end it and all it started. Harmless twice."""
        if self.process is None:
            return
        stop_session(
            self.process.pid, self.stop_signal, self.patience if patience is None else patience
        )
        self.process.wait()
        self.process = None
        if self.pidfile:
            self.pidfile.unlink(missing_ok=True)

    def report(self, what: str) -> str:
        """One line that says what happened, and the end of the log, indented."""
        lines = "".join(f"\n    | {line}" for line in tail(self.log))
        return f"{self.name} {what}. The end of {shown(self.log)}:{lines or ' (empty)'}"

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def run(command: Server, show: Callable[[str], None]) -> list[str]:
    """Run a command that ends by itself, show its lines as they come, and return all of them.

    Raises StartFailed when its exit status is not 0.
    """
    command.log.parent.mkdir(parents=True, exist_ok=True)
    command.log.touch()
    with command.log.open(errors="replace") as log:
        began_at, line = log.seek(0, os.SEEK_END), ""
        try:
            command.launch()
            alive = True
            while alive:
                alive = command.alive  # asked first: what it says at its end is shown as well
                *whole, line = (line + log.read()).split("\n")
                for one in whole:
                    show(one)
                time.sleep(0.05)
            status = command.exit_status
        finally:
            command.stop()
        log.seek(began_at)
        lines = log.read().splitlines()
    if status:
        raise StartFailed(command.report(f"ended with status {status}"))
    return lines


def remember(pidfile: Path, pid: int, stop_signal: signal.Signals) -> None:
    """Write down a child, when it began (numbers are reused), and the signal that stops it."""
    pidfile.parent.mkdir(parents=True, exist_ok=True)
    with suppress(psutil.NoSuchProcess):
        pidfile.write_text(f"{pid} {psutil.Process(pid).create_time()} {stop_signal.value}\n")


def stop_leftover(pidfile: Path, patience: float = 5.0) -> bool:
    """Stop the child that a killed run left behind. True when there was one."""
    try:
        pid, began, stop_signal = pidfile.read_text().split()
    except (FileNotFoundError, ValueError):
        return False
    pidfile.unlink()
    with suppress(psutil.NoSuchProcess):
        if abs(psutil.Process(int(pid)).create_time() - float(began)) > 1:
            return False  # the number belongs to somebody else by now
    return stop_session(int(pid), signal.Signals(int(stop_signal)), patience)


def stop_session(leader: int, stop_signal: signal.Signals, patience: float) -> bool:
    """Ask a session's leader to stop, and kill after `patience` seconds what is left of them all.

    True when there was anything to stop. A session keeps its number while one member lives, so the
    members are found even when the leader is dead.
    """
    members = session(leader)
    with suppress(ProcessLookupError):
        os.kill(leader, stop_signal)
    psutil.wait_procs([one for one in members if one.pid == leader], timeout=patience)
    left = session(leader)  # of a leader that left by itself: those whom it forgot
    for process in left:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(left, timeout=5)
    return bool(members)


def session(leader: int) -> list[psutil.Process]:
    """The living processes of a session."""
    found = []
    for process in psutil.process_iter():
        with suppress(ProcessLookupError, PermissionError, psutil.Error):
            if os.getsid(process.pid) == leader and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def tail(path: Path) -> list[str]:
    """The last lines of a log; none when there is no log."""
    try:
        with path.open("rb") as log:
            log.seek(max(0, path.stat().st_size - TAIL_BYTES))
            return log.read().decode(errors="replace").splitlines()[-TAIL_LINES:]
    except FileNotFoundError:
        return []


def shown(path: Path) -> str:
    """A path as people see it from the checkout."""
    return os.path.relpath(path, ROOT) if path.is_relative_to(ROOT) else str(path)
