"""Chat rooms are told: one JSON message to an incoming webhook, tried for five days.

A row is claimed by moving it into the future, so that a sender that dies gives it back by itself;
it comes again with the same id then. Each room has a lane of its own: a dead one holds up no other.
"""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F

from surveys.delivery import outward
from surveys.delivery.links import admin_link
from surveys.delivery.outbox import post
from surveys.models import (
    ChatHook,
    ChatMessage,
    Escalation,
    EscalationStep,
    Message,
    OutreachTask,
    Role,
    User,
)

Clock = Callable[[], datetime]
State = ChatMessage.State
BATCH = 100
ROOMS = 4  # at once, each with a connection to the database
LEASE = timedelta(minutes=2)
FIRST, MINUTE, HOUR = timedelta(seconds=5), timedelta(minutes=1), timedelta(hours=1)
# After the first, second, ... failure: as the Standard Webhooks specification recommends.
PAUSES = [FIRST, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR,
          24 * HOUR, 24 * HOUR]  # fmt: skip
JITTER = 0.2  # of a pause
GIVE_UP = timedelta(days=5)
GONE = 410


def drain(clock: Clock) -> int:
    """Tell every room what it has not been told; returns how many messages were taken.

    Safe to run in many processes at once. `clock` tells the time in UTC.
    """
    claimed = _claim(clock())
    if not claimed:
        return 0
    lanes: dict[int, list[ChatMessage]] = defaultdict(list)
    for message in claimed:
        lanes[message.hook_id].append(message)
    with ThreadPoolExecutor(min(len(lanes), ROOMS)) as pool:
        return sum(pool.map(lambda lane: _lane(lane, clock), lanes.values()))


@transaction.atomic
def _claim(now: datetime) -> list[ChatMessage]:
    due = ChatMessage.objects.due(now).filter(hook__stopped_reason="")
    rows = due.select_for_update(of=("self",), skip_locked=True).order_by("next_at", "pk")[:BATCH]
    ids = [message.pk for message in rows]
    ours = ChatMessage.objects.filter(pk__in=ids)
    ours.update(next_at=now + LEASE, attempts=F("attempts") + 1)
    about = ("escalation__task__response", "escalation__task__customer__account")
    ours = ours.select_related("hook", *about, "escalation__task__owner")
    return list(ours.order_by("created_at", "pk"))


def _lane(messages: list[ChatMessage], clock: Clock) -> int:
    """One room, in a thread with a database connection of its own. After a failure the others of
    the room wait as well: they would only fail slowly, one after the other."""
    sent = 0
    try:
        for place, message in enumerate(messages):
            if why := _deliver(message):
                _failed(message, why, clock())
                _put_back(messages[place + 1 :], clock())
                break
            _sent(message, clock())
            sent += 1
        return sent
    finally:
        connection.close()


def _deliver(message: ChatMessage) -> str:
    """What went wrong; empty when the room was told."""
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "voc",
        "webhook-id": f"voc-chat-{message.pk}",  # the same at every attempt
        "webhook-timestamp": str(int(message.created_at.timestamp())),
    }
    try:
        status = outward.post(message.hook.url, json.dumps(written(message)).encode(), headers)
    except outward.Undelivered as error:
        return str(error)
    return "" if 200 <= status < 300 else f"status {status}"


def written(message: ChatMessage) -> dict[str, Any]:
    """The message as the room's tool reads it. No comment and no customer's name: chats are read by
    many, and kept for long."""
    one = message.escalation
    lines = [f"This is a test of “{message.hook}”. It works."] if one is None else _lines(one)
    if message.hook.kind == ChatHook.Kind.TEAMS:
        return _card(lines)
    return {"text": "\n".join(map(_harmless, lines))}


def _lines(one: Escalation) -> list[str]:
    task: OutreachTask = one.task
    opened = one.waits_for == EscalationStep.Waits.OPENED
    what = ("Not opened" if opened else "Not reached") + (" again" if one.after_denial else "")
    whose = task.customer.account or "A customer without an account"
    segment = f" ({task.response.segment})" if task.response.segment else ""
    return [
        f"{what} for {one.hours} hours: {whose}{segment}, score {task.response.score}",
        f"Due {one.due_at:%Y-%m-%d %H:%M} UTC, {task.owner or 'nobody'}’s task",
        admin_link(task),
    ]


def _harmless(line: str) -> str:
    """Slack and Mattermost read <!channel> as a command and a few signs as markup."""
    for sign, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        line = line.replace(sign, entity)
    return line.replace("@", "@\u200b") if not line.startswith(settings.SITE_URL) else line


def _card(lines: list[str]) -> dict[str, Any]:
    """An Adaptive Card 1.4 of plain runs, which Teams does not search for markup."""
    rows = [{"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": line}]}
            for line in lines]  # fmt: skip
    content = {"type": "AdaptiveCard", "version": "1.4", "body": rows}
    kind = "application/vnd.microsoft.card.adaptive"
    return {"type": "message", "attachments": [{"contentType": kind, "content": content}]}


def _ours(message: ChatMessage) -> Any:
    """Still ours: nobody has claimed it since."""
    return ChatMessage.objects.filter(pk=message.pk, attempts=message.attempts, state=State.QUEUED)


def _sent(message: ChatMessage, now: datetime) -> None:
    _ours(message).update(state=State.SENT, sent_at=now, last_error="")
    ChatHook.objects.filter(pk=message.hook_id).update(failing_since=None)


def _failed(message: ChatMessage, why: str, now: datetime) -> None:
    with transaction.atomic():
        if message.escalation_id is None:
            _ours(message).update(state=State.FAILED, last_error=why)  # a person waits for it
            return
        pause = PAUSES[min(message.attempts, len(PAUSES)) - 1]
        again = now + pause * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - no secret
        is_last = message.attempts > len(PAUSES) or again > message.created_at + GIVE_UP
        if is_last:
            _ours(message).update(state=State.FAILED, last_error=why)
        else:
            _ours(message).update(next_at=again, last_error=why)
        _note_failure(message.hook_id, why, now, for_good=is_last or why == f"status {GONE}")


def _put_back(messages: list[ChatMessage], now: datetime) -> None:
    for message in messages:
        _ours(message).update(next_at=now + FIRST, attempts=F("attempts") - 1)


def _note_failure(hook_id: int, why: str, now: datetime, *, for_good: bool) -> None:
    """A room that is gone, or has failed for five days, is told no more; administrators learn of
    it."""
    hook = ChatHook.objects.select_for_update().get(pk=hook_id)
    hook.failing_since = hook.failing_since or now
    is_over = for_good or now - hook.failing_since >= GIVE_UP
    if is_over and not hook.stopped_reason:
        hook.stopped_reason = why
        for user in User.objects.filter(is_active=True, role=Role.ADMINISTRATOR):
            key = f"alarm:chat:{hook.pk}:{hook.failing_since.isoformat()}:{user.pk}"
            post(Message.Kind.CHAT_STOPPED, key, now, user=user)
    hook.save(update_fields=["failing_since", "stopped_reason"])
