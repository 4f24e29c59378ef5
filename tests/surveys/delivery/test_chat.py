"""Rooms are told once, dead ones hold up no others, and what they read harms nobody."""

from datetime import timedelta

import pytest
from django.utils import timezone

from surveys.delivery import chat
from surveys.loop import answer, ask, try_chat
from surveys.models import ChatHook, ChatMessage, Escalation, Message

pytestmark = pytest.mark.django_db(transaction=True)
HOUR = timedelta(hours=1)
DAY = 24 * HOUR


@pytest.fixture
def hook(room):
    return ChatHook.objects.create(name="#care", url=room.url)


@pytest.fixture
def escalation(nps, customer, now):
    invitation = ask.invite(nps, [customer], "test:1", now - HOUR)[0]
    task = answer.give(invitation, 2, "It never came, says Ines.", now)[0].task
    return Escalation.objects.create(
        task=task, began_at=now, level=2, after_hours=48, waits_for="reached", at=now
    )


@pytest.fixture
def waiting(hook, escalation, now):
    return ChatMessage.objects.create(hook=hook, escalation=escalation, next_at=now, created_at=now)


class Clock:
    def __init__(self, now):
        self.now = now

    def __call__(self):
        return self.now


def test_a_room_is_told_once(room, waiting, now):
    assert [chat.drain(Clock(now + HOUR)) for _ in range(3)] == [1, 0, 0]
    waiting.refresh_from_db()
    assert (waiting.state, waiting.sent_at, waiting.attempts) == ("sent", now + HOUR, 1)
    [said] = room.told
    assert said["text"].startswith(
        "Not reached for 48 hours: Lakeside Mills (Enterprise), score 2\n"
        "Due 2026-03-13 09:00 UTC, Alice’s task\nhttp://testserver/admin/"
    )
    assert "Ines" not in said["text"]
    _, headers = room.requests[0]
    assert headers["webhook-id"] == f"voc-chat-{waiting.pk}"


def test_teams_reads_a_card(room, hook, waiting, now):
    ChatHook.objects.update(kind="teams")
    chat.drain(Clock(now))
    [card] = [part["content"] for part in room.told[0]["attachments"]]
    assert card["type"] == "AdaptiveCard"
    first = card["body"][0]["inlines"][0]["text"]
    assert first == "Not reached for 48 hours: Lakeside Mills (Enterprise), score 2"


def test_what_an_account_is_called_commands_nobody(room, waiting, account, now):
    account.name = "<!channel> @here & Sons <http://evil.example|click>"
    account.save()
    chat.drain(Clock(now))
    said = room.told[0]["text"]
    assert "<" not in said
    assert "@here" not in said
    assert "&lt;!channel&gt;" in said


def test_a_failure_is_tried_again_with_the_same_id(room, waiting, now):
    room.replies = [503, 500]
    clock = Clock(now)
    assert chat.drain(clock) == 0
    waiting.refresh_from_db()
    assert (waiting.state, waiting.last_error) == ("queued", "status 503")
    assert timedelta(seconds=4) <= waiting.next_at - now <= timedelta(seconds=6)
    assert chat.drain(clock) == 0
    clock.now = waiting.next_at
    assert chat.drain(clock) == 0
    waiting.refresh_from_db()
    assert 4 * chat.MINUTE <= waiting.next_at - clock.now <= 6 * chat.MINUTE
    assert ChatHook.objects.get().failing_since == now
    clock.now = waiting.next_at
    assert chat.drain(clock) == 1
    assert len({headers["webhook-id"] for _, headers in room.requests}) == 1
    assert ChatHook.objects.get().failing_since is None


def test_who_dies_over_a_message_gives_it_back(room, waiting, now):
    [claimed] = chat._claim(now)  # and then nothing more
    assert chat.drain(Clock(now + HOUR - HOUR)) == 0
    assert chat.drain(Clock(now + chat.LEASE)) == 1
    chat._sent(claimed, now)  # too late: it is somebody else's by now
    waiting.refresh_from_db()
    assert waiting.sent_at == now + chat.LEASE


def test_after_five_days_a_room_is_told_no_more_and_administrators_hear_of_it(
    room,
    waiting,
    administrator,
    now,
):
    room.replies = [500] * 99
    clock = Clock(now)
    for _ in range(24):
        chat.drain(clock)
        clock.now += 6 * HOUR
    assert ChatHook.objects.get().stopped_reason == "status 500"
    waiting.refresh_from_db()
    assert waiting.state == "failed"
    assert Message.objects.get(kind="chat_stopped").user == administrator
    asked = len(room.requests)
    assert 8 <= asked <= 11
    assert chat.drain(Clock(now + 30 * DAY)) == 0
    assert len(room.requests) == asked


def test_a_room_that_is_gone_is_not_tried_again(room, waiting, administrator, now):
    room.replies = [410]
    chat.drain(Clock(now))
    assert ChatHook.objects.get().stopped_reason == "status 410"
    assert chat.drain(Clock(now + DAY)) == 0
    assert Message.objects.filter(kind="chat_stopped").count() == 1


def test_a_dead_room_holds_up_no_other(room, hook, escalation, waiting, now, monkeypatch):
    monkeypatch.setattr("surveys.delivery.outward.TOTAL", 0.5)
    dead = ChatHook.objects.create(name="#dead", url=f"https://127.0.0.1:{room.port}/dead")
    ChatMessage.objects.create(hook=dead, escalation=escalation, next_at=now, created_at=now)
    assert chat.drain(Clock(now)) == 1
    assert set(ChatMessage.objects.values_list("hook__name", "state")) == {
        ("#care", "sent"), ("#dead", "queued"),
    }  # fmt: skip


def test_a_test_is_tried_once_and_says_what_became_of_it(room, hook, manager):
    now = timezone.now()
    test = try_chat.try_room(hook, manager, now)
    with pytest.raises(try_chat.Impatient):
        try_chat.try_room(hook, manager, now)
    room.replies = [404]
    chat.drain(Clock(now))
    test.refresh_from_db()
    assert (test.state, test.last_error) == ("failed", "status 404")
    try_chat.try_room(hook, manager, now + HOUR)
    chat.drain(Clock(now + HOUR))
    assert room.told[-1] == {"text": "This is a test of “#care”. It works."}
