"""Variable envelope return paths: each mail has its own, so that its bounce says which it was."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re

from django.conf import settings

from surveys.models import Message

RETURN_PATH = re.compile(r"[^@\s]*\+(\d{1,18})-([a-z2-7]{12})@[^@\s]+", re.IGNORECASE)


def address(message: Message) -> str:
    """Where bounces of `message` go: bounces+17-k3v…@company.example for its row 17.

    CONTACT_EMAIL when no BOUNCE_ADDRESS is set.
    """
    if not settings.BOUNCE_ADDRESS:
        return settings.CONTACT_EMAIL
    local, _, domain = settings.BOUNCE_ADDRESS.rpartition("@")
    return f"{local}+{message.pk}-{_mac(message.pk)}@{domain}"


def read(address: str) -> int | None:
    """The id of the message that was sent from `address`; None for any that we did not make.

    Mail servers may change the case; the domain does not matter, for it may be renamed.
    """
    found = RETURN_PATH.fullmatch(address.strip())
    if found is None:
        return None
    pk, mac = int(found[1]), found[2].lower()
    return pk if hmac.compare_digest(mac, _mac(pk)) else None


def _mac(pk: int) -> str:
    """60 bits, in letters and digits that survive any mail server."""
    mac = hmac.digest(settings.LINK_KEY.encode(), b"return path|%d" % pk, hashlib.sha256)
    return base64.b32encode(mac)[:12].decode().lower()
