"""What is handed to a mail server: an envelope, and bytes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TypeVar

from django.conf import settings

from surveys.delivery import verp
from surveys.delivery.headers import deliverable, mailbox_line, text_line
from surveys.models import Customer, EscalationRecipient, Message, User

Noun = TypeVar("Noun")
# RFC 3834, and the header by which Exchange knows the same: no out-of-office replies, please.
AUTOMATIC = b"Auto-Submitted: auto-generated\r\nX-Auto-Response-Suppress: All\r\n"


@dataclass(frozen=True)
class Letter:
    """One mail to one recipient, ready for SMTP (RFC 5321: the envelope; RFC 5322: the content)."""

    sender: str  # of the envelope, where bounces go
    recipient: str
    content: bytes  # headers and body, lines ended by CRLF


def about(noun: Noun | None) -> Noun:
    """What a message is about. Raises ValueError when it is there no more."""
    if noun is None:
        raise ValueError("What this message is about is gone.")
    return noun


def letter(
    message: Message,
    to: Customer | User | EscalationRecipient,
    subject: str,
    body: bytes,
    *,
    sender: str,
    more: bytes = b"",
    automatic: bool = True,
) -> Letter:
    """`sender` is the name shown, `more` are further header lines, `body` begins with its own;
    not `automatic` is what a person has written.

    Raises ValueError when `to` has no address that a mail can go to.
    """
    recipient = deliverable(to.email or "")
    date = format_datetime(datetime.now(UTC))
    lines = [
        text_line("Subject", subject),
        mailbox_line("From", sender, settings.CONTACT_EMAIL),
        mailbox_line("To", to.name, recipient),
        f"Date: {date}\r\nMessage-ID: {message.message_id}\r\n".encode("ascii"),
        AUTOMATIC if automatic else b"",
        more,
    ]
    return Letter(verp.address(message), recipient, b"".join(lines) + body)
