"""What those who look after tasks read: which clock has run out, and until when to call."""

from datetime import timedelta
from email import message_from_bytes, policy

import pytest

from surveys.delivery import emails
from surveys.loop import answer, ask
from surveys.models import Confirmation, Escalation, Message, OutreachTask

HOUR = timedelta(hours=1)


@pytest.fixture
def task(nps, customer, now):
    return answer.give(ask.invite(nps, [customer], "event:1", now)[0], 2, "Late.", now)[0].task


def read(task, kind, user, now, **about):
    """The subject, and the text in one line."""
    message = Message(pk=1, kind=kind, task=task, user=user, created_at=now, **about)
    message.message_id = "<voc.1@northwind.example>"
    mail = message_from_bytes(emails.render(message).content, policy=policy.default)
    return mail["Subject"], " ".join(mail.get_content().split())


def escalation(task, began, hours, **fields):
    return Escalation.objects.create(
        task=task, began_at=began, after_hours=hours, level=2, at=began + hours * HOUR,
        **{"waits_for": "reached", **fields},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("hours", "fields", "subject", "said"),
    [
        (36, {"waits_for": "opened"}, "Not opened for 36 hours", "nobody has opened this task"),
        (48, {}, "Not reached for 48 hours", "within 48 hours of the answer. The 72 hours that we"
         " promise end on March 13, 2026, 9 a.m. (UTC)."),
        (72, {}, "Overdue, 72 hours", "this is a miss already"),
        (16, {"after_denial": True}, "Not reached again for 16 hours", "within 16 hours of their"
         " word that this was closed in vain. The 24 hours that we have for it end on"
         " March 11, 2026, 9 a.m. (UTC)."),
        (24, {"after_denial": True}, "Overdue again, 24 hours", "The 24 hours that we had for it"
         " are over"),
    ],
)  # fmt: skip
def test_an_escalation_says_which_clock_it_is_about(task, lead, now, hours, fields, subject, said):
    one = escalation(task, now, hours, **fields)
    title, text = read(task, "escalation", lead, now, escalation=one)
    assert title == f"{subject}: Lakeside Mills, score 2"
    assert said in text


def test_a_denial_says_until_when_to_call(task, alice, now):
    OutreachTask.objects.update(denied_at=now, second_due_at=now + 24 * HOUR)
    word = Confirmation.objects.create(
        task=task, number=1, claimed=True, asked_at=now, answered_at=now, got_back="no",
        comment="Nobody called.",
    )  # fmt: skip
    word.task.refresh_from_db()
    title, text = read(word.task, "denied", alice, now, confirmation=word)
    assert title == "Lakeside Mills: nobody got back"
    assert "Speak with them by March 11, 2026, 9 a.m. (UTC)." in text
    assert "“Nobody called.”" in text


def test_the_digest_tells_the_second_deadline_with_the_first(task, alice, now):
    denied = now + 29 * HOUR
    late = {"first_contact_at": now, "denied_at": denied, "second_due_at": denied + 24 * HOUR}
    OutreachTask.objects.update(**late)
    title, text = read(task, "digest", alice, now + 47 * HOUR)
    assert title == "Today: 1 to call"
    assert "Due today: Ines Okafor (Lakeside Mills), score 2, by March 12, 2026, 2 p.m." in text
    title, text = read(task, "digest", alice, now + 54 * HOUR)
    assert title == "Today: 1 to call, 1 overdue"
    assert "Overdue: Ines Okafor" in text


def test_who_takes_a_denied_task_over_reads_the_deadline_that_runs(task, bob, now):
    denied = now + 29 * HOUR
    late = {"first_contact_at": now, "denied_at": denied, "second_due_at": denied + 24 * HOUR}
    OutreachTask.objects.update(**late)
    task.refresh_from_db()
    title, text = read(task, "task_opened", bob, now + 30 * HOUR)
    assert "Speak with them by March 12, 2026, 2 p.m." in text
    assert title == "Lakeside Mills: score 2, call by March 12, 2026, 2 p.m."
