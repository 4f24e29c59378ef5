"""A mailbox on loopback that speaks as much of IMAP (RFC 3501) as reading unseen mail takes."""

from __future__ import annotations

import re
import socketserver
import threading
from typing import Self


class Mailbox:
    """Knows one user and one folder; keeps what it was told in `flags`, by UID."""

    def __init__(self, mails: list[bytes]):
        self.mails = dict(enumerate(mails, start=1))
        self.flags: dict[int, set[str]] = {uid: set() for uid in self.mails}
        self.fetched: list[int] = []
        self.hang_up_at: str = ""  # a command at which the server drops the line

    def __enter__(self) -> Self:
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Conversation)
        self._server.daemon_threads = True
        self._server.mailbox = self
        threading.Thread(target=self._server.serve_forever, args=[0.05], daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        port = self._server.server_address[1]
        return f"imap://voc%40northwind.example:p%40ss@127.0.0.1:{port}/Returned mail"

    @property
    def unseen(self) -> list[int]:
        return [uid for uid in self.mails if r"\Seen" not in self.flags[uid]]


class _Conversation(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self.say("* OK ready")
        for line in self.rfile:
            tag, command = line.decode().strip().split(" ", 1)
            if self.box.hang_up_at and command.startswith(self.box.hang_up_at):
                return
            self.say(f"{tag} {self.answer(command)}")
            if command == "LOGOUT":
                return

    @property
    def box(self) -> Mailbox:
        return self.server.mailbox

    def say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())

    def answer(self, command: str) -> str:
        if command == "CAPABILITY":
            self.say("* CAPABILITY IMAP4rev1")
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
        elif command != "LOGOUT":
            return "BAD unknown"
        return "OK done"

    def fetch(self, uid: int, size: int) -> None:
        self.box.fetched.append(uid)
        raw = self.box.mails[uid][:size]
        self.say(f"* {uid} FETCH (UID {uid} BODY[]<0> {{{len(raw)}}}")
        self.wfile.write(raw + b")\r\n")
