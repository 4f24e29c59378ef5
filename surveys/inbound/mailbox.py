"""The mailbox that bounces and replies arrive in, read by IMAP (RFC 3501).

A mail is marked as seen once what it says is stored; so a crash between the two only means that it
is read again, and its Message-ID is known by then.
"""

from __future__ import annotations

import imaplib
import logging
import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from surveys.delivery import lanes
from surveys.inbound.read import SIZE
from surveys.inbound.take_in import take_in

log = logging.getLogger(__name__)
Clock = Callable[[], datetime]
TIMEOUT = 30  # seconds
AT_ONCE = 200  # mails; the next minute brings the next
PORTS = {"imap": 143, "imap+tls": 143, "imap+ssl": 993}


class Unreachable(Exception):
    """The mailbox cannot be opened, or it hung up."""


@dataclass(frozen=True)
class Address:
    """Where the mailbox is: imap+ssl://user:password@host/folder."""

    scheme: str
    host: str
    port: int
    user: str
    password: str
    folder: str


def address_of(url: str) -> Address:
    """Raises ImproperlyConfigured for what is no address of a mailbox."""
    parts = urlsplit(url)
    if parts.scheme not in PORTS or not parts.hostname or not parts.username:
        raise ImproperlyConfigured(
            "INBOUND_URL must look like imap+ssl://user:password@mail.example.com/INBOX "
            "(imap+tls: with STARTTLS; imap: without encryption)."
        )
    return Address(
        scheme=parts.scheme,
        host=parts.hostname,
        port=parts.port or PORTS[parts.scheme],
        user=unquote(parts.username),
        password=unquote(parts.password or ""),
        folder=unquote(parts.path.lstrip("/")) or "INBOX",
    )


def sweep(url: str, clock: Clock) -> int:
    """Take in every unseen mail of the mailbox at `url`; returns how many were news.

    A mail that cannot be stored stays unseen and is tried again. The administrators are told of a
    mailbox that cannot be read. Raises Unreachable.
    """
    address = address_of(url)
    try:
        with _open(address) as imap:
            news = sum(_take_in(imap, uid, clock()) for uid in _unseen(imap))
    except (OSError, imaplib.IMAP4.error) as error:
        said = f"{address.host}: {error}"
        lanes.unread(clock(), said)
        raise Unreachable(said) from error
    lanes.is_read()
    return news


def _open(address: Address) -> imaplib.IMAP4:
    context = ssl.create_default_context()
    if address.scheme == "imap+ssl":
        imap: imaplib.IMAP4 = imaplib.IMAP4_SSL(
            address.host, address.port, ssl_context=context, timeout=TIMEOUT
        )
    else:
        imap = imaplib.IMAP4(address.host, address.port, timeout=TIMEOUT)
    if address.scheme == "imap+tls":
        imap.starttls(context)
    imap.login(address.user, address.password)
    folder = '"' + re.sub(r'(["\\])', r"\\\1", address.folder) + '"'
    if imap.select(folder)[0] != "OK":
        raise imaplib.IMAP4.error(f"there is no folder {address.folder}")
    return imap


def _unseen(imap: imaplib.IMAP4) -> list[str]:
    _, found = imap.uid("SEARCH", "UNSEEN")
    return (found[0] or b"").decode().split()[:AT_ONCE]


def _take_in(imap: imaplib.IMAP4, uid: str, now: datetime) -> bool:
    _, answer = imap.uid("FETCH", uid, f"(BODY.PEEK[]<0.{SIZE}>)")
    raw = next((part[1] for part in answer if isinstance(part, tuple)), None)
    if raw is None:
        return False  # deleted meanwhile
    try:
        news = take_in(raw, now)
    except Exception:
        log.exception("mail %s cannot be stored; it stays unseen", uid)
        return False
    imap.uid("STORE", uid, "+FLAGS", r"(\Seen)")
    return news
