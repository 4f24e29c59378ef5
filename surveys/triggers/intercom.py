"""Intercom tells when a conversation is closed or opened again.

Set up: in the Developer Hub, a webhook to /hooks/intercom/ with the topics
conversation.admin.closed and conversation.admin.opened. The app's client secret is
HOOK_SECRET_INTERCOM. Intercom first asks with HEAD whether the address answers, and sends a "ping".

Signature: "sha1=" and the hexadecimal HMAC-SHA1 of the body in X-Hub-Signature
(developers.intercom.com, "Signed notifications"). Payload: a notification_event with its own id,
topic and created_at (seconds since 1970), and the conversation in data.item: who wrote first in
source.author, everyone in contacts.contacts ("Webhook notifications", "Conversation").
A notification has no e-mail of people who did not write first, but may have their external_id.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from surveys.loop.recognise import Person
from surveys.triggers.contract import Happening, System, Unreadable, needed, person, same, text

CUSTOMERS = {"user", "lead", "contact"}  # other authors are colleagues and bots
RENAMED = {"conversation.admin.opened": "conversation.reopened"}


class Intercom(System):
    name = "intercom"
    happenings = ("conversation.admin.closed", "conversation.reopened")

    def verify(self, headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> bool:
        mac = hmac.digest(secret.encode(), body, hashlib.sha1).hex()
        return same(headers.get("X-Hub-Signature", ""), f"sha1={mac}")

    def read(self, payload: dict) -> list[Happening]:
        topic = needed(payload, "topic", 60)
        if not topic.startswith("conversation."):
            return []  # a ping, or a topic that nobody needs
        data = payload.get("data")
        conversation = data.get("item") if isinstance(data, dict) else None
        return [
            Happening(
                external_id=needed(payload, "id"),
                happening=RENAMED.get(topic, topic),
                person=_customer(conversation),
                subject=f"conversation:{needed(conversation, 'id', 60)}",
                happened_at=_moment(payload.get("created_at")),
            )
        ]


def _customer(conversation: object) -> Person:
    """The first who can be named by an address, else by the company's own id."""
    found = [
        person(text(one, "email", 254), text(one, "external_id"), text(one, "name", 200))
        for one in _people(conversation)
    ]
    with_address = [one for one in found if one.email]
    return next(iter([*with_address, *(one for one in found if one.external_id)]), Person())


def _people(conversation: object) -> Iterator[object]:
    if not isinstance(conversation, dict):
        return
    source, contacts = conversation.get("source"), conversation.get("contacts")
    author = source.get("author") if isinstance(source, dict) else None
    if isinstance(author, dict) and author.get("type") in CUSTOMERS:
        yield author
    listed = contacts.get("contacts") if isinstance(contacts, dict) else None
    yield from listed if isinstance(listed, list) else []


def _moment(seconds: object) -> datetime | None:
    if seconds is None:
        return None
    try:
        return datetime.fromtimestamp(int(str(seconds)), UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise Unreadable("“created_at” must be seconds since 1970.") from error
