"""What `make run` keeps in var/: the lock, the secret key, the environment, the logs, the data."""

import fcntl
import os
import secrets
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from voc.embedded.ports import LOOPBACK
from voc.embedded.servers import ROOT

VAR = ROOT / "var"


class AlreadyRunning(Exception):
    """Another `make run` of this checkout is alive; the message says where."""


class NotOurs(Exception):
    """var/ belongs to another user; the message says what to do."""


@contextmanager
def only_one(var: Path = VAR) -> Iterator[None]:
    """Hold the lock of this checkout. Raises AlreadyRunning, NotOurs."""
    path = var / "run.lock"
    try:
        var.mkdir(exist_ok=True)
        lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except PermissionError as error:
        raise NotOurs(
            f"{error.filename} is not ours to write, perhaps after a run as another user. "
            f"Take it over (sudo chown -R $(id -u) {var}) or run as that user."
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise AlreadyRunning(_holder(path)) from error
    try:
        yield
    finally:
        path.write_text("")
        os.close(lock)


def announce(site: str, var: Path = VAR) -> None:
    """Leave word for a second `make run` of where the first one is."""
    (var / "run.lock").write_text(f"{os.getpid()} {site}\n")


def _holder(path: Path) -> str:
    pid, _, site = path.read_text().strip().partition(" ")
    if not pid:
        return "voc is already starting in this checkout."
    return (
        f"voc is already running in this checkout, at {site}/ (process {pid}). "
        f"Stop it with Ctrl-C in its terminal, or with: kill {pid}"
    )


def secret_key(var: Path = VAR) -> str:
    """The key of this checkout, made once and readable by its owner alone."""
    path = var / "secret_key"
    if not path.exists():
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(50))
    return path.read_text()


def environment(port: int, var: Path = VAR) -> dict[str, str]:
    """What the product is told, but for its servers. What the caller's environment says wins."""
    return {
        "EMBEDDED": "1",
        "DEBUG": "0",
        "SECURE": "0",
        "SITE_URL": f"http://{LOOPBACK}:{port}",
        "ALLOWED_HOSTS": f"{LOOPBACK},localhost",
        "SECRET_KEY": secret_key(var),
        "PYTHONUNBUFFERED": "1",
    } | os.environ


@contextmanager
def shared_environment(settings: dict[str, str], var: Path = VAR) -> Iterator[None]:
    """While we run, var/run.env lets a terminal beside us (`make manage`) use the same servers."""
    path = var / "run.env"
    path.unlink(missing_ok=True)
    ours = {name: value for name, value in settings.items() if os.environ.get(name) != value}
    with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
        file.writelines(f"{name}={shlex.quote(value)}\n" for name, value in ours.items())
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def keep_last_logs(logs: Path) -> None:
    """Begin each run with empty logs, and keep those of the run before."""
    for log in logs.glob("*.log"):
        log.replace(log.with_suffix(".log.1"))
