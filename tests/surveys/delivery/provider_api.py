"""A mail provider's API on loopback, in the shape of Postmark's, that can be told to misbehave."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self


class ProviderApi:
    """Keeps what it accepts; `answers` holds (status, body) of the next requests."""

    def __init__(self):
        self.kept: list[dict] = []
        self.headers: list[dict] = []
        self.answers: list[tuple[int, dict | str]] = []
        self.hang_up = False

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.api = self
        threading.Thread(target=self._server.serve_forever, args=[0.05], daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/"

    def answer_to(self, mail: dict) -> tuple[int, dict | str]:
        self.kept.append(mail)
        if self.answers:
            return self.answers.pop(0)
        number = len(self.kept)
        return 200, {"ErrorCode": 0, "Message": "OK", "MessageID": f"pm-{number}", "To": mail["To"]}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        api = self.server.api
        mail = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        api.headers.append(dict(self.headers))
        status, body = api.answer_to(mail)
        if api.hang_up:
            self.close_connection = True
            return
        raw = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_: object) -> None:
        """Silence: the tests read `kept`."""
