"""What our own mail server has written into a mail: when it came, and whether its sender is who
they say they are (RFC 5321, 4.4; RFC 8601). What others wrote there proves nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from email.utils import getaddresses, parsedate_to_datetime

from django.conf import settings

COMMENT = re.compile(r"\([^()]*\)")
PASSED = re.compile(r"\s*(dmarc|dkim|spf)\s*=\s*pass\b", re.IGNORECASE)
ALIGNED_BY = {
    "dmarc": re.compile(r"header\.from\s*=\s*([^\s;]+)", re.IGNORECASE),
    "dkim": re.compile(r"header\.d\s*=\s*([^\s;]+)", re.IGNORECASE),
    "spf": re.compile(r"smtp\.mailfrom\s*=\s*([^\s;]+)", re.IGNORECASE),
}


@dataclass(frozen=True)
class Proof:
    """`arrived_at` and `is_senders` are our server's word, `written_at` is the mail's own."""

    is_senders: bool = False
    arrived_at: datetime | None = None
    written_at: datetime | None = None


NOTHING = Proof()


def of(mail: Message, sender: str) -> Proof:
    """What `mail` proves, which says that it is from `sender`; never raises."""
    written_at = _moment(str(mail.get("Date") or ""))
    results = _our_results(mail)
    if not results:
        return Proof(written_at=written_at)
    received = str(mail.get("Received") or "")[:2_000]  # the topmost: our own server added it last
    domain = sender.rpartition("@")[2]
    is_senders = _is_from_one(mail) and any(_vouches(result, domain) for result in results)
    return Proof(is_senders, _moment(received.rpartition(";")[2]), written_at)


def _our_results(mail: Message) -> list[str]:
    """The results of each method that our server has tried."""
    if not settings.AUTHSERV_ID:
        return []
    for value in (mail.get_all("Authentication-Results") or [])[:10]:
        said = COMMENT.sub(" ", str(value)[:4_000])
        name, _, results = said.partition(";")
        if name.split()[:1] == [settings.AUTHSERV_ID] and results.strip():
            return results.split(";")
    return []


def _vouches(result: str, domain: str) -> bool:
    """Whether a method passed for the domain of the sender, or one that it belongs to."""
    passed = PASSED.match(result)
    if passed is None:
        return False
    found = ALIGNED_BY[passed[1].lower()].search(result)
    named = found[1].strip('"').rpartition("@")[2].lower().rstrip(".") if found else ""
    return bool(named) and "." in named and f".{domain}".endswith(f".{named}")


def _is_from_one(mail: Message) -> bool:
    """Of two senders the method may have looked at one, and we at the other."""
    values = mail.get_all("From") or []
    return len(values) == 1 and len(getaddresses([str(values[0])])) == 1


def _moment(text: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(" ".join(text.split()))
        return at.astimezone(UTC) if at.tzinfo else None
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
