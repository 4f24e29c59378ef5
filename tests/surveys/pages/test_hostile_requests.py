"""Requests that no browser sends, to the web process of production itself: each is answered with a
4xx and not waited for, nothing is stored, and the next customer is served."""

from __future__ import annotations

import gzip
import os
import socket
from contextlib import suppress
from datetime import timedelta

import pytest
from django.utils import timezone

from surveys.loop import ask
from surveys.models import Response, Suppression
from surveys.pages import nonces
from tests.bench.web import Web, exchange, request
from tests.faults.conftest import environment
from voc.embedded.ports import LOOPBACK

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE = 20  # seconds; a request that is waited for would take gunicorn's 30
BOMB = gzip.compress(b"0" * 100_000_000)
MANY_FIELDS = b"&".join(b"field%d=1" % n for n in range(1_100))
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def web(tmp_path, django_db_setup):
    with Web("web", tmp_path / "web.log", os.environ | environment()) as server:
        yield server


@pytest.fixture
def path(nps, customer) -> str:
    [invitation] = ask.invite(nps, [customer], "test:1", timezone.now())
    return f"/a/{invitation.token()}"


def post(path: str, *headers: str, body: bytes = b"", kind: str = FORM) -> bytes:
    lines = [f"POST {path} HTTP/1.1", f"Host: {LOOPBACK}", f"Content-Type: {kind}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def with_length(path: str, body: bytes, *headers: str, kind: str = FORM) -> bytes:
    return post(path, f"Content-Length: {len(body)}", *headers, body=body, kind=kind)


def hostile(path: str) -> dict[str, bytes]:
    chunked = "Transfer-Encoding: chunked"
    return {
        "gzip bomb": with_length(path, BOMB, "Content-Encoding: gzip"),
        "chunks without an end": post(path, chunked, body=b"5\r\nscore\r\n"),
        "chunks that are none": post(path, chunked, body=b"zz\r\nscore\r\n"),
        "chunks and a length": post(path, chunked, "Content-Length: 7", body=b"score=3"),
        "two lengths": post(path, "Content-Length: 7", "Content-Length: 8", body=b"score=3x"),
        "a length of a terabyte": post(path, f"Content-Length: {10**12}", body=b"score=3"),
        "a negative length": post(path, "Content-Length: -7", body=b"score=3"),
        "11 MB": with_length(path, b"comment=" + b"x" * 11_000_000),
        "1,100 fields": with_length(path, MANY_FIELDS),
        "a header of 64 kB": request("GET", path, X_Long="x" * 65_536),
        "1,100 headers": request("GET", path, **{f"X_{n}": "1" for n in range(1_100)}),
        "a link of 100 kB": request("GET", "/a/" + "z" * 100_000),
        "NUL in a header": request("GET", path, X_Odd="a\0b"),
        "a line break in a header": request("GET", path, X_Odd="a\nb"),
        "another charset": with_length(path, b"score=3", kind=f"{FORM}; charset=bogus"),
        "parts without a boundary": with_length(path, b"score=3", kind="multipart/form-data"),
        "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    }


def test_requests_that_no_browser_sends(web, path):
    for name, sent in hostile(path).items():
        assert 400 <= status_of(web.port, sent) < 500, name
        assert exchange(web.port, request("GET", path)).status == 200, name
    assert not Response.objects.exists()
    assert not Suppression.objects.exists()


def status_of(port: int, sent: bytes) -> int:
    """The server may answer, and hang up, before it has read all."""
    with socket.create_connection((LOOPBACK, port), timeout=PATIENCE) as connection:
        with suppress(ConnectionError):
            connection.sendall(sent)
        return int(connection.recv(65_536).split(b" ", 2)[1])


def test_a_sound_request_is_taken(web, path):
    """The control."""
    nonce = nonces.issue(path[3:], now=timezone.now() - timedelta(seconds=5))
    assert status_of(web.port, with_length(path, f"nonce={nonce}&score=3".encode())) == 200
    assert Response.objects.get().score == 3
