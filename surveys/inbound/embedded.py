"""`make run` has no mailbox: the mails to our own addresses are in the SMTP inbox of the machine.

Mails that have been taken in move from `new` to `cur`, as a Maildir has it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from django.conf import settings

from surveys.inbound.read import SIZE
from surveys.inbound.take_in import take_in

ENVELOPE = 2_000  # bytes at the beginning of each file that name its recipients
DELIVERED_TO = re.compile(rb"^Delivered-To: (.+?)\r?$", re.MULTILINE)


def sweep(directory: Path, clock: Callable[[], datetime]) -> int:
    """Take in the new mails to us in the Maildir `directory`; returns how many were news."""
    news = 0
    for file in list(_to_us(directory / "new")):
        with file.open("rb") as content:
            news += take_in(content.read(SIZE), clock())
        file.replace(directory / "cur" / f"{file.name}:2,S")
    return news


def _to_us(folder: Path) -> Iterator[Path]:
    known = (settings.CONTACT_EMAIL, settings.BOUNCE_ADDRESS, settings.TASK_ADDRESS)
    ours = [address for address in known if address]
    for file in sorted(folder.glob("*")):
        with file.open("rb") as content:
            recipients = DELIVERED_TO.findall(content.read(ENVELOPE))
        if any(_is_for(address.decode("utf-8", "replace"), ours) for address in recipients):
            yield file


def _is_for(recipient: str, ours: list[str]) -> bool:
    """Whether it is one of our addresses, with or without a +tag."""
    local, _, domain = recipient.strip().lower().rpartition("@")
    return f"{local.partition('+')[0]}@{domain}" in [address.lower() for address in ours]
