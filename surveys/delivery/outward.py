"""One POST to an address that a colleague typed in, which must not lead into our own network.

https only; the name is resolved once and that address is connected to; whatever is not a public
address is refused; no redirect is followed, no proxy used, no reply unpacked. Whoever answers
slowly, or endlessly, is hung up on.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from http.client import HTTPException, HTTPSConnection
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError

from surveys.models.chat import https_address

CONNECT = 5.0  # seconds
TOTAL = 15.0  # seconds, from the connection to the end of the reply
MOST = 64 * 1024  # bytes of a reply that are read
Address = IPv4Address | IPv6Address

# Beside what Python's `is_global` refuses, which differs between its releases: special-purpose
# addresses of IANA, and the ranges that wrap an IPv4 address (RFC 6052, 3056, 4380, 4291).
CLOSED = [
    ip_network(network)
    for network in (
        "0.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "192.0.0.0/24", "192.88.99.0/24",
        "198.18.0.0/15", "224.0.0.0/3", "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/32",
        "2002::/16", "fec0::/10", "ff00::/8",
    )
]  # fmt: skip


class Undelivered(Exception):
    """What went wrong, as a class that may be shown: never what the other side said."""


class Forbidden(Undelivered):
    """An address that we do not write to: trying again does not help."""


def post(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """The status of the reply. Raises Forbidden for an address that is not allowed, Undelivered
    ("timeout", "refused", "no valid certificate", ...) when there is no reply."""
    host, port, path = _parts(url)
    address = _resolved(host, port)
    try:
        with _line(address, host, port) as line:
            connection = HTTPSConnection(host, port)
            connection.sock = line  # opened to the address that was looked at, and to no other
            connection.request("POST", path, body, {**headers, "Connection": "close"})
            reply = connection.getresponse()
            reply.read(MOST)
            return reply.status
    except Undelivered:
        raise
    except ssl.SSLCertVerificationError:
        raise Undelivered("no valid certificate") from None
    except TimeoutError:
        raise Undelivered("timeout") from None
    except ConnectionRefusedError:
        raise Undelivered("refused") from None
    except (OSError, HTTPException):
        raise Undelivered("the connection broke, or took longer than 15 seconds") from None


def _parts(url: str) -> tuple[str, int, str]:
    try:
        https_address(url)
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna").decode()
    except (ValidationError, UnicodeError):
        raise Forbidden("not an https address") from None
    path = parts.path or "/"
    return host, parts.port or 443, f"{path}?{parts.query}" if parts.query else path


def _resolved(host: str, port: int) -> str:
    """One address of the host. Refused as a whole if any of them is not public: which one a later
    look-up would give is not ours to say."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        raise Undelivered("the name is not known") from None
    addresses = [str(place[0]) for *_, place in found]
    if not all(is_public(ip_address(one.partition("%")[0])) for one in addresses):
        raise Forbidden("an address that is not public")
    return addresses[0]


def is_public(address: Address) -> bool:
    """Whether the address belongs to the open internet; what wraps another is unwrapped first."""
    if isinstance(address, IPv6Address):
        wrapped = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if wrapped and not is_public(wrapped):
            return False
        if address.ipv4_mapped:
            return True
    is_closed = any(address in network for network in CLOSED if network.version == address.version)
    return address.is_global and not address.is_multicast and not is_closed


@contextmanager
def _line(address: str, host: str, port: int) -> Iterator[ssl.SSLSocket]:
    """A TLS connection to that address in the name of that host, cut off when its time is over."""
    raw = socket.create_connection((address, port), timeout=CONNECT)
    line = trust().wrap_socket(raw, server_hostname=host, do_handshake_on_connect=False)
    over = threading.Timer(TOTAL, _cut, [line])
    over.daemon = True
    over.start()
    try:
        line.do_handshake()
        line.settimeout(TOTAL)
        yield line
    finally:
        over.cancel()
        line.close()


def _cut(line: ssl.SSLSocket) -> None:
    """Below TLS, whose own goodbye would wait for the other side."""
    with suppress(OSError):  # it has ended meanwhile
        socket.socket.shutdown(line, socket.SHUT_RDWR)


@cache
def trust() -> ssl.SSLContext:
    """The authorities that this machine trusts: read once."""
    return ssl.create_default_context()
