from datetime import timedelta

import pytest

from surveys.loop import rehearse
from surveys.models import AuditEntry, Message, NoWording, Reminder


def test_a_test_is_queued_for_the_colleague_alone_and_recorded(nps, manager, now):
    reminder = Reminder.objects.create(survey=nps, number=2)
    rehearse.send_test(nps, "en", manager, now, reminder)
    message = Message.objects.get()
    assert (message.kind, message.survey, message.user) == ("test", nps, manager)
    assert (message.language, message.reminder, message.next_at) == ("en", reminder, now)
    assert message.invitation is None
    entry = AuditEntry.objects.get()
    assert (entry.verb, entry.actor, entry.after) == (
        "send a test", manager, {"language": "en", "reminder": 2},
    )  # fmt: skip


def test_a_language_without_words_is_shown_in_the_fallback(nps, manager, now):
    rehearse.send_test(nps, "pl", manager, now)
    assert Message.objects.get().language == "en"


def test_one_test_a_minute_is_enough(nps, manager, alice, now):
    rehearse.send_test(nps, "en", manager, now)
    with pytest.raises(rehearse.TooSoon, match="less than a minute ago"):
        rehearse.send_test(nps, "en", manager, now + timedelta(seconds=59))
    rehearse.send_test(nps, "en", alice, now)
    rehearse.send_test(nps, "en", manager, now + timedelta(seconds=60))
    assert Message.objects.count() == AuditEntry.objects.count() == 3


def test_without_words_there_is_nothing_to_rehearse(nps, manager, now):
    nps.wordings.all().delete()
    with pytest.raises(NoWording):
        rehearse.send_test(nps, "en", manager, now)
    assert not Message.objects.exists()
