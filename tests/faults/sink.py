"""A mail server that is quick, records what it took, and misbehaves when a test says so.

As a process: `python -m tests.faults.sink --port 2525 --record FILE [--delay SECONDS] [--durable]`;
durable: each mail is on the disk before its 250, as RFC 5321 (6.1) wants it. In a test:
`with Sink() as sink`. `sink.script` holds what to do next at a stage (connect, EHLO, MAIL, RCPT,
DATA, body): a reply such as "450 later", or one of

    drop            hang up
    stall           say nothing more
    keep and drop   (body) take the mail and hang up without a word
    dribble         (connect) the greeting byte by byte, in 1.7 seconds

`Sink(certificate=FILE)` offers STARTTLS, `Sink(certificate=FILE, over_tls=True)` speaks nothing
but TLS.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import re
import ssl
import tempfile
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from voc.embedded.ports import LOOPBACK, any_free

MESSAGE_ID = re.compile(rb"(?mi)^Message-ID:[ \r\n]*(<[^>]*>)")
ANSWERS = {
    "MAIL": "250 ok",
    "RCPT": "250 ok",
    "DATA": "354 go on",
    "AUTH": "235 in",
    "body": "250 taken",
}


class Session(asyncio.Protocol):
    def __init__(self, sink: Sink):
        self.sink, self.buffer, self.in_body, self.deaf = sink, b"", False, False
        self.recipient = ""

    def connection_made(self, transport) -> None:
        self.transport = transport
        self.sink.connections += 1
        self.answer("connect", "220 sink")

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while not self.deaf and self.take():
            pass

    def take(self) -> bool:
        """One command or one body out of the buffer; False when there is no whole one."""
        before, end, after = self.buffer.partition(b"\r\n.\r\n" if self.in_body else b"\r\n")
        if not end:
            return False
        self.buffer = after
        if self.in_body:
            self.in_body = False
            self.end_of(before)
        else:
            self.command(before.decode("utf-8", "replace"))
        return True

    def command(self, line: str) -> None:
        word = line[:4].upper()
        if word == "EHLO":
            offer = "250-STARTTLS\r\n" if self.sink.tls and not self.is_private else ""
            self.answer(word, f"250-sink\r\n{offer}{self.sink.extensions}")
        elif word == "STAR" and self.sink.tls:
            self.transport.pause_reading()  # what comes next is not for us to read
            self.write("220 go on")
            self.sink.loop.create_task(self.start_tls(self.sink.tls))
        elif word in ANSWERS:
            if word == "RCPT":
                self.recipient = line[line.find("<") + 1 : line.rfind(">")]
            self.in_body = self.answer(word, ANSWERS[word]).startswith("354")
        else:
            self.write("221 bye" if word == "QUIT" else "250 ok")

    @property
    def is_private(self) -> bool:
        return self.transport.get_extra_info("ssl_object") is not None

    async def start_tls(self, tls: ssl.SSLContext) -> None:
        with suppress(OSError):  # who does not trust us hangs up
            start = self.sink.loop.start_tls
            self.transport = await start(self.transport, self, tls, server_side=True)

    def end_of(self, body: bytes) -> None:
        action = self.sink.next_at("body", self.recipient)
        if action in (None, "keep and drop", "keep and stall"):
            self.sink.keep(self.recipient, body)
            self.sink.private += self.is_private
            if self.sink.spool:
                self.sink.spool.store(body, lambda: self.write(ANSWERS["body"]))
                return
        self.act("drop" if action == "keep and drop" else action, ANSWERS["body"])

    def answer(self, stage: str, usual: str) -> str:
        action = self.sink.next_at(stage, self.recipient)
        self.act(action, usual)
        return action or usual

    def act(self, action: str | None, usual: str) -> None:
        if action == "drop":
            self.deaf = True
            self.transport.abort()
        elif action in ("stall", "keep and stall"):
            self.deaf = True
        elif action == "dribble":
            self.dribble("220 " + "x" * 30)
        elif usual == ANSWERS["body"] and self.sink.delay:
            delay = random.random() * self.sink.delay
            self.sink.loop.call_later(delay, self.write, action or usual)
        else:
            self.write(action or usual)

    def dribble(self, rest: str) -> None:
        if not self.transport.is_closing():
            self.transport.write(rest[:1].encode() or b"\r\n")
            if rest:
                self.sink.loop.call_later(0.05, self.dribble, rest[1:])

    def write(self, text: str) -> None:
        if not self.transport.is_closing():
            self.transport.write(text.encode() + b"\r\n")


class Spool:
    """Mails on the disk. Those that arrive while it is busy share the next fsync, as the journals
    of mail servers' file systems let them."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._waiting: list[tuple[bytes, Callable[[], None]]] = []
        self._is_busy = False

    def store(self, body: bytes, then: Callable[[], None]) -> None:
        """Call `then`, in the running loop, when `body` is on the disk."""
        self._waiting.append((body, then))
        if not self._is_busy:
            self._is_busy = True
            asyncio.get_running_loop().create_task(self._work())

    async def _work(self) -> None:
        while group := self._waiting:
            self._waiting = []
            await asyncio.to_thread(self._write, [body for body, _ in group])
            for _, then in group:
                then()
        self._is_busy = False

    def _write(self, bodies: list[bytes]) -> None:
        with tempfile.TemporaryFile(dir=self._folder) as file:
            file.writelines(bodies)
            file.flush()
            os.fsync(file.fileno())


class Sink:
    """`record`: where the recipient and the Message-ID of each mail are written as it is taken."""

    def __init__(
        self, port: int = 0, record: Path | None = None, delay: float = 0.0, durable: bool = False,
        certificate: Path | None = None, over_tls: bool = False,
    ):  # fmt: skip
        self.port, self.delay = port or any_free(), delay
        self.extensions = "250-PIPELINING\r\n250 8BITMIME"
        self.script: dict[str, list[str | None]] = {}
        self.to: dict[str, str] = {}  # what RCPT says to an address
        self.kept: list[tuple[str, str, bytes]] = []
        self.connections = 0
        self.private = 0  # mails that came over TLS
        self.tls: ssl.SSLContext | None = None
        if certificate:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(certificate)
        self._over_tls = self.tls if over_tls else None
        self._record = os.open(record, os.O_WRONLY | os.O_APPEND | os.O_CREAT) if record else None
        self.spool = Spool(record.parent) if record and durable else None

    def next_at(self, stage: str, recipient: str) -> str | None:
        if stage == "RCPT" and recipient in self.to:
            return self.to[recipient]
        waiting = self.script.get(stage)
        return waiting.pop(0) if waiting else None

    def keep(self, recipient: str, body: bytes) -> None:
        found = MESSAGE_ID.search(body)
        message_id = found[1].decode() if found else ""
        if self._record is None:
            self.kept.append((recipient, message_id, body))
        else:
            os.write(self._record, f"{recipient} {message_id}\n".encode())

    @property
    def recipients(self) -> list[str]:
        return sorted(recipient for recipient, _, _ in self.kept)

    @property
    def times(self) -> Counter:
        """How often each Message-ID came."""
        return Counter(message_id for _, message_id, _ in self.kept)

    async def serve(self, ready: threading.Event | None = None) -> None:
        self.loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        server = await self.loop.create_server(
            lambda: Session(self), LOOPBACK, self.port, ssl=self._over_tls
        )
        if ready:
            ready.set()
        await self._stop.wait()
        server.close()

    def __enter__(self) -> Sink:
        ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self.serve(ready)), daemon=True)
        self._thread.start()
        ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self.loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)


def recorded(path: Path) -> Counter:
    """How often each Message-ID was taken, from the record of a sink's process."""
    lines = path.read_text().splitlines() if path.exists() else []
    return Counter(line.split(" ", 1)[1] for line in lines)


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("--port", type=int, required=True)
    options.add_argument("--record", type=Path)
    options.add_argument("--delay", type=float, default=0.0)
    options.add_argument("--durable", action="store_true")
    asyncio.run(Sink(**vars(options.parse_args())).serve())
