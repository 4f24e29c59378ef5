"""A mailbox on loopback that speaks as much of IMAP (RFC 3501) as reading unseen mail takes."""

from __future__ import annotations

import re
import socketserver
import ssl
import threading
from pathlib import Path
from typing import Self

CERTIFICATE = Path(__file__).parent / "loopback.pem"  # self-signed for 127.0.0.1, with its key


class Mailbox:
    """Knows one user and one folder; keeps what it was told in `flags`, by UID."""

    def __init__(self, mails: list[bytes], scheme: str = "imap"):
        self.scheme = scheme
        self.mails = dict(enumerate(mails, start=1))
        self.flags: dict[int, set[str]] = {uid: set() for uid in self.mails}
        self.fetched: list[int] = []
        self.hang_up_at: str = ""  # a command at which the server drops the line

    def __enter__(self) -> Self:
        self._server = _Server(("127.0.0.1", 0), _Conversation)
        self._server.daemon_threads = True
        self._server.mailbox = self
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(CERTIFICATE)
        threading.Thread(target=self._server.serve_forever, args=[0.05], daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        port = self._server.server_address[1]
        return f"{self.scheme}://voc%40northwind.example:p%40ss@127.0.0.1:{port}/Returned mail"

    @property
    def unseen(self) -> list[int]:
        return [uid for uid in self.mails if r"\Seen" not in self.flags[uid]]


class _Server(socketserver.ThreadingTCPServer):
    def handle_error(self, *_: object) -> None:
        """Clients that leave are part of the tests."""


class _Conversation(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        if self.box.scheme == "imap+ssl":
            self.encrypt()
        self.say("* OK ready")
        while line := self.rfile.readline():
            tag, command = line.decode().strip().split(" ", 1)
            if self.box.hang_up_at and command.startswith(self.box.hang_up_at):
                return
            self.say(f"{tag} {self.answer(command)}")
            if command == "STARTTLS":
                self.encrypt()
            if command == "LOGOUT":
                return

    def encrypt(self) -> None:
        try:
            self.request = self.box.tls.wrap_socket(self.request, server_side=True)
        except ssl.SSLError:  # the client does not trust us
            raise ConnectionAbortedError from None
        self.setup()

    @property
    def box(self) -> Mailbox:
        return self.server.mailbox

    def say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())

    def answer(self, command: str) -> str:
        if command == "CAPABILITY":
            self.say("* CAPABILITY IMAP4rev1 STARTTLS")
        elif command.startswith("LOGIN"):
            known = command == 'LOGIN voc@northwind.example "p@ss"'
            return "OK known" if known else "NO [AUTHENTICATIONFAILED] wrong"
        elif command.startswith("SELECT"):
            return "OK selected" if command == 'SELECT "Returned mail"' else "NO no such folder"
        elif command == "UID SEARCH UNSEEN":
            self.say(f"* SEARCH {' '.join(map(str, self.box.unseen))}")
        elif found := re.fullmatch(r"UID FETCH (\d+) \(BODY\.PEEK\[\]<0\.(\d+)>\)", command):
            self.fetch(int(found[1]), int(found[2]))
        elif found := re.fullmatch(r"UID STORE (\d+) \+FLAGS \((.+)\)", command):
            self.box.flags[int(found[1])].add(found[2])
        elif command not in ("LOGOUT", "STARTTLS"):
            return "BAD unknown"
        return "OK done"

    def fetch(self, uid: int, size: int) -> None:
        self.box.fetched.append(uid)
        raw = self.box.mails[uid][:size]
        self.say(f"* {uid} FETCH (UID {uid} BODY[]<0> {{{len(raw)}}}")
        self.wfile.write(raw + b")\r\n")
