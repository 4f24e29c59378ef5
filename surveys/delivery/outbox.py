"""Putting a promise into the outbox, in the transaction that makes it."""

from datetime import datetime
from typing import Any

from surveys.delivery.hints import hint
from surveys.models import Message

SEND = "surveys.tasks.send_mail"


def post(kind: str, dedupe_key: str, now: datetime, **about: Any) -> None:
    """One mail of `kind` about an invitation, task or user; a second with the key is dropped."""
    about = {"next_at": now} | about
    post_many([Message(kind=kind, dedupe_key=dedupe_key, created_at=now, **about)])


def post_many(messages: list[Message]) -> None:
    Message.objects.bulk_create(messages, ignore_conflicts=True)
    hint(SEND)
