"""What a ticket system or CRM must know to tell us what happened: one subclass of System each.

How to add a system, say Helpline:

1. Write `surveys/triggers/helpline.py` with a subclass of System. Subclasses must say `name` and
   `happenings`, and implement `verify` (is it really them?) and `read` (what happened to whom?).
   Say in its docstring how a person sets up the other side, and where its maker describes
   signature and payload.
2. Add it to SYSTEMS in `surveys/triggers/door.py`. Its address is then `/hooks/helpline/`.
3. Add `HOOK_SECRET_HELPLINE` to HOOK_SECRETS in `voc/settings.py`, to `.env.example` and to the
   table in `README.md`. Without a secret the address does not exist.
4. Test it in `tests/surveys/triggers/test_helpline.py` with a payload as its maker shows it.

Names that matter: `source` of a Trigger is the system's `name`; a happening is named
"thing.verb", such as "ticket.solved"; one that ends in ".reopened" takes back the ask about an
earlier one of its subject. An external id names one happening, not one ticket: a ticket may be
solved twice.
"""

from __future__ import annotations

import hmac
from abc import ABC, abstractmethod
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.dateparse import parse_datetime

from surveys.loop.recognise import Person

HEADER = "X-Voc-Secret"


class Unreadable(Exception):
    """The payload lacks what is needed, or holds it in another form; says what to do."""


@dataclass(frozen=True)
class Happening:
    """What one payload tells, in the terms of `surveys.loop.happen`."""

    external_id: str
    happening: str
    person: Person
    subject: str = ""
    product: str = ""
    happened_at: datetime | None = None


class System(ABC):
    name: str  # as in /hooks/<name>/, and in the source of triggers and events
    happenings: tuple[str, ...]  # the usual ones, shown beside the triggers

    @abstractmethod
    def verify(self, headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> bool:
        """Whether the one who holds `secret` sent this body, and not long ago."""

    @abstractmethod
    def read(self, payload: dict) -> list[Happening]:
        """What happened; nothing for payloads that tell nothing. Raises Unreadable."""


class SharedSecret(System):
    """For systems that sign nothing: the secret itself comes in a header, or as the password of
    HTTP basic authentication (RFC 7617) with any name."""

    def verify(self, headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> bool:
        given = headers.get(HEADER) or _basic_password(headers.get("Authorization", ""))
        return same(given, secret)


def _basic_password(header: str) -> str:
    kind, _, encoded = header.partition(" ")
    if kind.lower() != "basic":
        return ""
    try:
        return b64decode(encoded, validate=True).decode().partition(":")[2]
    except ValueError:  # no base64, or no UTF-8
        return ""


def same(given: str, expected: str) -> bool:
    """Compares in a time that tells nothing about where two texts differ."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())


def text(payload: object, name: str, most: int = 100) -> str:
    """The text or whole number called `name`, without space around it; "" where there is none.

    Raises Unreadable for anything else and for more than `most` characters.
    """
    value = payload.get(name) if isinstance(payload, dict) else None
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Unreadable(f"“{name}” must be a text.")
    stripped = str(value).strip()
    if len(stripped) > most:
        raise Unreadable(f"“{name}” is longer than {most} characters.")
    return stripped


def needed(payload: object, name: str, most: int = 100) -> str:
    """The same, but there must be one."""
    found = text(payload, name, most)
    if not found:
        raise Unreadable(f"“{name}” is missing.")
    return found


def moment(written: str) -> datetime | None:
    """A time with its offset (ISO 8601), such as 2026-03-10T09:00Z; None for "".

    Raises Unreadable.
    """
    if not written:
        return None
    try:
        found = parse_datetime(written)
        if found and found.tzinfo:
            return found.astimezone(UTC)
    except (ValueError, OverflowError):
        pass  # a date that no calendar has
    raise Unreadable(f"“{written[:40]}” is not a time with its offset, such as 2026-03-10T09:00Z.")


def person(email: str, external_id: str = "", name: str = "") -> Person:
    """Who it happened to. An address that cannot be one is left out."""
    try:
        validate_email(email)
    except ValidationError:
        email = ""
    return Person(email=email.lower() or None, external_id=external_id or None, name=name)


def slug(status: str) -> str:
    """A status as happenings name it: “On Hold” is on_hold."""
    return "_".join(status.lower().split())
