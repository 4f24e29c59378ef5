"""The address of a task: what is sent to it, or with it in BCC, is logged with the task."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re

from django.conf import settings

from surveys.models import OutreachTask

ADDRESS = re.compile(r"[^@\s]*\+(\d{1,18})-([a-z2-7]{16})@[^@\s]+", re.IGNORECASE)


def address(task: OutreachTask) -> str:
    """Such as tasks+17-k3v…@company.example; empty when no TASK_ADDRESS is set.

    Nobody can guess it: it ends in 80 bits of an HMAC-SHA256 (RFC 2104) of the task's number.
    """
    if not settings.TASK_ADDRESS:
        return ""
    local, _, domain = settings.TASK_ADDRESS.rpartition("@")
    return f"{local}+{task.pk}-{_mac(task.pk)}@{domain}"


def read(address: str) -> int | None:
    """The number of the task; None for any address that we did not make.

    Mail servers may change the case; the domain does not matter, for it may be renamed.
    """
    found = ADDRESS.fullmatch(address.strip())
    if found is None:
        return None
    pk, mac = int(found[1]), found[2].lower()
    return pk if hmac.compare_digest(mac, _mac(pk)) else None


def _mac(pk: int) -> str:
    mac = hmac.digest(settings.LINK_KEY.encode(), b"task address|%d" % pk, hashlib.sha256)
    return base64.b32encode(mac)[:16].decode().lower()
