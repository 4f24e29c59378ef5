"""A chat room on loopback, which only these tests can reach."""

import socket
import ssl

import pytest

from surveys.delivery import outward
from surveys.models import chat as noun
from tests.surveys.delivery.room import CERTIFICATE, HOST, Room


@pytest.fixture
def room(monkeypatch):
    """The one room that loopback is allowed for; names are looked up in the test alone."""
    one = Room()
    look_up = socket.getaddrinfo

    def looked_up(host, *args, **options):
        if host != HOST:
            return look_up(host, *args, **options)
        one.looked_up.append(host)
        return look_up("127.0.0.1", *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", looked_up)
    monkeypatch.setattr(outward, "is_public", lambda address: str(address) == "127.0.0.1")
    monkeypatch.setattr(noun, "PORTS", {one.port})
    trusted = ssl.create_default_context(cafile=CERTIFICATE)
    monkeypatch.setattr(outward, "trust", lambda: trusted)
    yield one
    one.close()
