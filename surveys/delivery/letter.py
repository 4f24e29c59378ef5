"""What is handed to a mail server: an envelope, and bytes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Letter:
    """One mail to one recipient, ready for SMTP (RFC 5321: the envelope; RFC 5322: the content)."""

    sender: str  # of the envelope, where bounces go
    recipient: str
    content: bytes  # headers and body, lines ended by CRLF
