"""Read one mail: who wrote it, about which of ours, and whether a person or a machine did."""

from __future__ import annotations

import email
import hashlib
import re
from dataclasses import dataclass, field
from email.header import decode_header, make_header
from email.message import Message
from email.utils import getaddresses

from surveys.inbound import proof, reports
from surveys.inbound.body import clean, text_of
from surveys.inbound.proof import NOTHING, Proof
from surveys.inbound.reports import Report
from surveys.models import InboundMail

Kind = InboundMail.Kind
SIZE = 1_000_000  # bytes that are read of a mail
MESSAGE_ID = re.compile(r"<[^<>\s]{3,248}>")
DELIVERED_TO = ("Delivered-To", "X-Original-To", "Envelope-To", "To", "Cc")
DAEMON = re.compile(r"^(mailer-daemon|postmaster)@", re.IGNORECASE)
FAILURE = re.compile(
    r"undeliver|returned mail|failure notice|delivery (status|failure|has failed)|unzustellbar",
    re.IGNORECASE,
)
AUTOMATIC = re.compile(
    r"^\W*(out of (the )?office|auto(matic)?[ -]?(reply|response)|abwesen|automatische antwort"
    r"|réponse automatique|respuesta automática|resposta automática|risposta automatica"
    r"|automatisch antwoord|自動応答)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Incoming:
    """A mail as far as we care. Nothing in it is to be trusted."""

    kind: str  # of InboundMail.Kind; REPLY when a person wrote it, to whatever it may be
    message_id: str
    sender: str = ""
    subject: str = ""
    text: str = ""
    recipients: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)  # Message-IDs of what it answers
    report: Report | None = None
    proof: Proof = NOTHING


def read(raw: bytes) -> Incoming:
    """Never raises: a mail that cannot be understood is of kind OTHER, with an id of its own."""
    raw = raw[:SIZE]
    try:
        return _read(email.message_from_bytes(raw), raw)
    except Exception:  # the parser meets mails that nobody foresaw; none of them stops the others
        return Incoming(Kind.OTHER, _digest(raw), subject="(a mail that cannot be read)")


def _read(mail: Message, raw: bytes) -> Incoming:
    sender = next(iter(_addresses(mail, "From")), "")
    subject = _header(mail, "Subject")[:200]
    recipients = [address for name in DELIVERED_TO for address in _addresses(mail, name)]
    answers = MESSAGE_ID.findall(_all(mail, "In-Reply-To") + " " + _all(mail, "References"))
    report, text = reports.report_in(mail), ""
    if report is None:
        text = text_of(mail)
    if report is None and _is_prose_bounce(mail, sender, subject):
        report = reports.bounce_without_form(text)
    return Incoming(
        kind=_kind(mail, report, subject),
        message_id=_message_id(mail, raw),
        sender=sender[:254],
        subject=subject,
        text=text,
        recipients=recipients[:50],
        answers=answers[-20:],
        report=report,
        proof=proof.of(mail, sender),
    )


def _kind(mail: Message, report: Report | None, subject: str) -> str:
    if report is not None:
        about_spam = report.verdict in ("complaint", "unsubscribed")
        return Kind.COMPLAINT if about_spam else Kind.BOUNCE
    return Kind.AUTO_REPLY if _is_automatic(mail, subject) else Kind.REPLY


def _is_automatic(mail: Message, subject: str) -> bool:
    """RFC 3834, 5, and what mail programs did before it."""
    submitted = _header(mail, "Auto-Submitted").lower()
    if submitted and not submitted.startswith("no"):
        return True
    if any(mail.get(name) for name in ("X-Autoreply", "X-Autorespond", "List-Id")):
        return True
    bulk = _header(mail, "Precedence").lower() in ("auto_reply", "bulk", "junk", "list")
    return bulk or AUTOMATIC.search(subject) is not None


def _is_prose_bounce(mail: Message, sender: str, subject: str) -> bool:
    from_nobody = _header(mail, "Return-Path") == "<>" or DAEMON.match(sender) is not None
    return from_nobody and FAILURE.search(subject) is not None


def _message_id(mail: Message, raw: bytes) -> str:
    found = MESSAGE_ID.search(_header(mail, "Message-ID"))
    return clean(found[0]) if found else _digest(raw)


def _digest(raw: bytes) -> str:
    """For a mail without a Message-ID. Its first lines differ with the way it came, so only what
    follows them counts, with its date."""
    head, _, body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")
    said = [line for line in head.split(b"\n") if line.lower().startswith((b"date:", b"from:"))]
    return f"<{hashlib.sha256(b''.join(said) + body).hexdigest()}@no-message-id>"


def _addresses(mail: Message, name: str) -> list[str]:
    values = [str(value)[:2_000] for value in (mail.get_all(name) or [])[:20]]
    return [clean(address).lower() for _, address in getaddresses(values) if "@" in address]


def _all(mail: Message, name: str) -> str:
    return " ".join(str(value)[:10_000] for value in (mail.get_all(name) or [])[:5])


def _header(mail: Message, name: str) -> str:
    """One header in characters; what claims to be encoded and is not stays as it was sent."""
    value = str(mail.get(name) or "")[:1_000]
    try:
        value = str(make_header(decode_header(value)))
    except (LookupError, ValueError):
        value = value.encode("ascii", "replace").decode()
    return " ".join(clean(value).split())
