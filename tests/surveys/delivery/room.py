"""A chat tool's webhook on loopback: real TLS, for chat.northwind.example, that can misbehave."""

from __future__ import annotations

import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

CERTIFICATE = Path(__file__).parent / "chat.pem"  # self-signed for HOST, with its key
HOST = "chat.northwind.example"


class Room:
    """Keeps what it is told; `replies` are those to come: a status, or a name of a fault."""

    def __init__(self):
        self.told: list[dict] = []
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.replies: list[object] = []
        self.looked_up: list[str] = []
        self.sent = 0  # bytes of the last reply
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Door", (_Door,), {"room": self}))
        self._server.daemon_threads = True
        self.over = threading.Event()
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(CERTIFICATE)
        self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._server.handle_error = lambda *_: None  # clients that hang up are part of the tests
        self.port = self._server.server_address[1]
        self.url = f"https://{HOST}:{self.port}/services/s3cret?a=b"
        threading.Thread(target=self._server.serve_forever, args=[0.05], daemon=True).start()

    def close(self) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()


class _Door(BaseHTTPRequestHandler):
    room: Room

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.room.requests.append((self.path, dict(self.headers)))
        self.room.told.append(json.loads(body))
        reply = self.room.replies.pop(0) if self.room.replies else 200
        if isinstance(reply, int):
            self._say(reply)
        else:
            getattr(self, f"_{reply}")()

    def _say(self, status: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _redirect(self) -> None:
        self._say(302, Location=f"https://127.0.0.1:{self.room.port}/inside")

    def _nothing(self) -> None:
        self.room.over.wait(20)

    def _drip(self) -> None:
        for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 400:
            self.wfile.write(bytes([byte]))
            if self.room.over.wait(0.05):
                return

    def _flood(self) -> None:
        self.send_response(200)
        self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        block = b"\x1f\x8b" + b"\0" * 65_534
        for _ in range(1_000):
            self.wfile.write(block)
            self.room.sent += len(block)

    def log_message(self, *_: object) -> None:
        """Silent."""
