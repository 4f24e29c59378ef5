"""Try a chat: a colleague tries whether a room can be told."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from surveys.delivery.hints import hint
from surveys.loop.escalate import TELL_CHATS
from surveys.models import AuditEntry, ChatHook, ChatMessage, User

APART = timedelta(seconds=10)


class Impatient(Exception):
    """A test is on its way already."""


@transaction.atomic
def try_room(hook: ChatHook, by: User, now: datetime) -> ChatMessage:
    """Send a test to the room within seconds; it is tried once, whatever became of earlier ones.

    Raises Impatient within 10 seconds of another.
    """
    hook = ChatHook.objects.select_for_update().get(pk=hook.pk)
    tests = hook.messages.filter(escalation=None)
    if tests.filter(created_at__gt=now - APART).exists():
        raise Impatient("A test is on its way already. Look again in some seconds.")
    test = ChatMessage.objects.create(hook=hook, next_at=now, created_at=now)
    AuditEntry.record("test", hook, now, actor=by)
    hint(TELL_CHATS)
    return test
