"""The web process as the image starts it, and plain HTTP to it from any address on loopback."""

from __future__ import annotations

import os
import socket
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from voc.embedded.__main__ import is_healthy
from voc.embedded.ports import LOOPBACK, any_free
from voc.embedded.servers import Server, run

WORKERS = "2"  # the default of docker-compose.yml
FOR_TESTS_ALONE = {"TESTING", "DEBUG", "EMBEDDED", "INBOX_DIR", "DJANGO_ALLOW_ASYNC_UNSAFE"}


class Web(Server):
    """gunicorn with `voc.wsgi`."""

    def __init__(self, name: str, log: Path, environment: dict[str, str]):
        self.port = any_free()
        self.site = f"http://{LOOPBACK}:{self.port}"
        command = [sys.executable, "-m", "gunicorn", "voc.wsgi", "--no-control-socket"]
        command += ["--bind", f"{LOOPBACK}:{self.port}", "--workers", WORKERS]
        super().__init__(
            name,
            [*command, "--worker-tmp-dir", "/dev/shm"],  # noqa: S108 - as in the image
            log=log,
            environment=environment | {"SITE_URL": self.site},
            ready=partial(is_healthy, f"{self.site}/healthz"),
        )


def as_in_production(static: Path, **environment: str) -> dict[str, str]:
    """The environment of a web process with the settings of production, its static files made."""
    here = {name: value for name, value in os.environ.items() if name not in FOR_TESTS_ALONE}
    here |= {"DJANGO_SETTINGS_MODULE": "tests.bench.production", "BENCH_STATIC": str(static)}
    here |= {"LOG_LEVEL": "INFO", **environment}
    command = [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity", "0"]
    log = static.with_name("collectstatic.log")
    run(Server("collectstatic", command, log=log, environment=here), show=print)
    return here


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    text: str


def exchange(port: int, request: bytes, source: str = LOOPBACK) -> Reply:
    """One request on a connection of its own, from `source`, any address in 127.0.0.0/8."""
    address = (LOOPBACK, port)
    with socket.create_connection(address, timeout=30, source_address=(source, 0)) as connection:
        connection.sendall(request)
        received = b"".join(iter(lambda: connection.recv(65_536), b""))
    head, _, body = received.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    return Reply(int(status.split()[1]), headers, body.decode())


def request(method: str, target: str, body: bytes = b"", **headers: str) -> bytes:
    """What `exchange` sends. Underscores in the names of headers stand for hyphens."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {LOOPBACK}", "Connection: close"]
    if body:
        headers |= {"Content_Type": "application/x-www-form-urlencoded"}
        headers |= {"Content_Length": str(len(body))}
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body
