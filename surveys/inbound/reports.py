"""Reports by machines about one of our mails: bounces (RFC 3464) and spam complaints (RFC 5965)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_string
from email.message import Message

from surveys.inbound.body import clean, decoded

STATUS = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
LINK = re.compile(r"/u/([A-Za-z2-7]{26})\b")
# Permanent for this mail, and no fault of the address: mailbox full, mail too big, bad content,
# refused by a policy (RFC 3463, 3.2 to 3.8).
NOT_THE_ADDRESS = re.compile(r"5\.(2\.[23]|3\.4|6\.\d+|7\.\d+)$")
COMPLAINTS = {"abuse", "fraud", "other"}
OPT_OUTS = {"opt-out", "opt-out-list"}


@dataclass(frozen=True)
class Report:
    """What is said about one mail, and which mail it is about."""

    verdict: str = ""  # of DeliveryEvent.Kind; "" when nothing follows, as for a mere delay
    detail: str = ""
    recipient: str = ""  # the address that the report is about
    message_id: str = ""  # of the mail that came back
    return_path: str = ""  # of the mail that came back
    token: str = ""  # of its unsubscribe link, which only its recipient has


def report_in(mail: Message) -> Report | None:
    """The report that `mail` carries, or None for a mail that is no report."""
    parts = {part.get_content_type(): part for part in reversed(list(_parts(mail)))}
    if "message/delivery-status" in parts:
        return _bounce(parts["message/delivery-status"], returned(parts))
    if "message/feedback-report" in parts:
        return _complaint(parts["message/feedback-report"], returned(parts))
    return None


def bounce_without_form(text: str) -> Report:
    """For servers that report in prose: a status code if there is one, else the milder reading."""
    found = STATUS.search(text[:20_000])
    status = found[0] if found else "4.0.0"
    return Report(verdict=verdict_of("failed", status), detail=clean(text)[:300])


def verdict_of(action: str, status: str) -> str:
    """One of DeliveryEvent.Kind for the fields Action and Status of RFC 3464, 2.3.

    `delayed` is none yet: the server goes on trying.
    """
    if action != "failed":
        return ""
    if status.startswith("5") and not NOT_THE_ADDRESS.match(status):
        return "hard_bounce"
    return "soft_bounce"


def returned(parts: dict[str, Message]) -> dict[str, str]:
    """How the report names the mail it is about: its Message-ID, return path and opt-out link."""
    if "message/rfc822" in parts and parts["message/rfc822"].is_multipart():
        original = parts["message/rfc822"].get_payload(0)
    elif "text/rfc822-headers" in parts:
        original = message_from_string(decoded(parts["text/rfc822-headers"]))
    else:
        return {}
    token = LINK.search(field(original, "List-Unsubscribe"))
    return {
        "message_id": field(original, "Message-ID"),
        "return_path": bare(field(original, "Return-Path")),
        "token": token[1] if token else "",
    }


def field(mail: Message, name: str) -> str:
    """A header as plain text of at most 1,000 characters."""
    return clean(str(mail.get(name) or ""))[:1_000]


def bare(address: str) -> str:
    """An address without its type and brackets: rfc822; <a@b.example> is a@b.example."""
    return address.rpartition(";")[2].strip().strip("<>").lower()


def _parts(mail: Message) -> Iterator[Message]:
    """The parts of this mail itself: a bounce that somebody attaches is not a bounce."""
    if mail.get_content_maintype() == "multipart" and mail.is_multipart():
        for part in mail.get_payload():
            yield from _parts(part)
    else:
        yield mail


def _bounce(status_part: Message, original: dict[str, str]) -> Report:
    for fields in _groups(status_part):
        action, status = field(fields, "Action").lower(), STATUS.search(field(fields, "Status"))
        if action:
            said = field(fields, "Diagnostic-Code") or field(fields, "Status")
            return Report(
                verdict=verdict_of(action, status[0] if status else ""),
                detail=said[:300],
                recipient=bare(
                    field(fields, "Original-Recipient") or field(fields, "Final-Recipient")
                ),
                **original,
            )
    return Report(**original)


def _complaint(feedback_part: Message, original: dict[str, str]) -> Report:
    fields = next(_groups(feedback_part), Message())
    said = field(fields, "Feedback-Type").lower()
    verdict = "complaint" if said in COMPLAINTS else "unsubscribed" if said in OPT_OUTS else ""
    sender = bare(field(fields, "Original-Mail-From")) or original.get("return_path", "")
    return Report(
        verdict=verdict,
        detail=f"Feedback-Type: {said}"[:300],
        recipient=bare(field(fields, "Original-Rcpt-To")),
        **{**original, "return_path": sender},
    )


def _groups(part: Message) -> Iterator[Message]:
    """Each block of fields in a report, as a set of headers."""
    payload = part.get_payload()
    if isinstance(payload, list):
        yield from payload
    else:
        for block in re.split(r"\n\s*\n", decoded(part)):
            yield message_from_string(block.lstrip() + "\n\n")
