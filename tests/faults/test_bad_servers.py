"""Faults 21 to 27: servers that say later, no, nothing at all, or not in a way we can trust."""

import re
import smtplib
from datetime import timedelta
from email import message_from_bytes, policy

import pytest
from django.core.management import call_command
from django.utils import timezone

from surveys.delivery import claim, headers, lanes, send
from surveys.loop import ask
from surveys.models import Customer, DeliveryEvent, MailLane, Message, Suppression

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def three(sink, nps, account):
    """Three invitations, due now."""
    customers = [
        Customer.objects.create(account=account, name=f"Customer {i}", email=f"c{i}@mills.example")
        for i in range(3)
    ]
    ask.invite(nps, customers, "test:1", timezone.now())
    return customers


def states() -> dict[str, str]:
    rows = Message.objects.filter(kind="invitation").order_by("pk")
    return dict(rows.values_list("invitation__customer__email", "state"))


def by_the_minute(minutes: int, now=None):
    """The ticks of a clock that is faster than ours."""
    now = now or timezone.now()
    return [now + timedelta(minutes=passed) for passed in range(minutes)]


def test_six_hours_without_a_clock_are_caught_up_once(sink, three, settings):
    settings.CELERY_BROKER_URL = ""
    Message.objects.update(next_at=timezone.now() - timedelta(hours=6))
    call_command("clock", once=True)
    call_command("clock", once=True)
    assert sink.recipients == [customer.email for customer in three]


@pytest.mark.parametrize(("stage", "code"), [("MAIL", 421), ("RCPT", 450), ("RCPT", 451)])
def test_two_hours_of_later_please_end_in_one_mail(sink, mail, stage, code):
    ticks, tries = by_the_minute(60 * 10), []
    for passed, now in enumerate(ticks):
        if passed < 120 and not sink.script.get(stage):
            sink.script[stage] = [f"{code} later, please"]
            tries.append(now)
        elif passed == 120:
            sink.script.clear()
        send.drain(lambda now=now: now)
    assert len(tries) in range(4, 20)  # and not 120
    assert list(sink.times.values()) == [1]
    assert states() == {"ines@lakeside.example": "sent"}
    assert (Suppression.objects.count(), DeliveryEvent.objects.count()) == (0, 0)


def test_a_server_that_asks_for_less_gets_less(sink, three):
    """421 pauses everybody for half a minute, then a minute; a mail that is taken ends it."""
    sink.script["MAIL"] = ["421 too much"] * 2
    now = timezone.now()
    assert send.drain(lambda: now) == 0
    lane = MailLane.objects.get()
    assert lane.paused_until - now == timedelta(seconds=30)
    assert send.drain(lambda: now + timedelta(seconds=29)) == 0
    assert sink.connections == 1
    again = now + timedelta(seconds=31)
    assert send.drain(lambda: again) == 0
    lane.refresh_from_db()
    assert (lane.faults, lane.paused_until - again) == (2, timedelta(minutes=1))
    assert send.drain(lambda: now + timedelta(minutes=10)) == 3
    lane.refresh_from_db()
    assert (lane.faults, lane.paused_until, lane.reason) == (0, None, "")


def test_no_pause_is_longer_than_a_quarter_of_an_hour(mail):
    now = timezone.now()
    for _ in range(12):
        until = lanes.pause(now, "421", alarm_at_once=False)
        assert until - now <= timedelta(minutes=15)
        now = until
    assert until - now == timedelta(0)


@pytest.mark.parametrize(
    ("at_rcpt", "is_a_bounce"),
    [
        ("550 5.1.1 no such mailbox", True),
        ("550 no such mailbox", True),
        ("550 5.7.1 relaying denied", False),
        ("530 5.7.0 log in first", False),
        ("552 5.2.2 mailbox full", False),
    ],
)
def test_a_final_no_to_the_recipient_is_a_hard_bounce_if_it_is_about_him(
    sink, three, at_rcpt, is_a_bounce
):
    sink.to["c1@mills.example"] = at_rcpt
    assert send.drain(timezone.now) == 2
    assert states()["c1@mills.example"] == "failed"
    events = list(DeliveryEvent.objects.values_list("kind", "source", "detail"))
    assert events == ([("hard_bounce", "smtp", at_rcpt)] if is_a_bounce else [])
    assert Suppression.objects.count() == is_a_bounce
    sink.to.clear()
    assert send.drain(lambda: timezone.now() + timedelta(days=2)) == 0


@pytest.mark.parametrize("no", ["552 too big", "554 not that"])
def test_a_final_no_to_the_content_fails_the_mail_and_blames_nobody(sink, three, no):
    sink.script["body"] = [no]
    assert send.drain(timezone.now) == 2
    assert sorted(states().values()) == ["failed", "sent", "sent"]
    assert Suppression.objects.count() == 0
    assert send.drain(lambda: timezone.now() + timedelta(days=2)) == 0


@pytest.mark.parametrize("fault", ["keep and drop", "drop", "keep and stall"])
def test_no_answer_to_the_last_dot_leaves_one_mail_in_doubt(sink, three, settings, fault):
    settings.EMAIL_TIMEOUT = 1
    sink.script["body"] = [fault]
    assert send.drain(timezone.now) == 2  # the lane is free again for the others
    assert sorted(states().values()) == ["in_doubt", "sent", "sent"]
    assert send.drain(lambda: timezone.now() + timedelta(days=2)) == 0
    assert max(sink.times.values()) == 1


def test_a_notice_to_a_colleague_is_rather_repeated(sink, alice):
    """The control: what need not be unique is sent again, and the same fault brings it twice."""
    now = timezone.now()
    Message.objects.create(kind="welcome", dedupe_key="w", user=alice, next_at=now, created_at=now)
    sink.script["body"] = ["keep and drop"]
    send.drain(timezone.now)
    send.drain(lambda: timezone.now() + timedelta(minutes=2))
    assert list(sink.times.values()) == [2]


def test_a_greeting_that_dribbles_in_is_not_waited_for(sink, mail, settings):
    """Each byte comes in time, the greeting does not."""
    settings.EMAIL_TIMEOUT = 1
    sink.script["connect"] = ["dribble", "dribble"]
    assert send.drain(timezone.now) == 0
    assert (states(), MailLane.objects.get().faults) == ({"ines@lakeside.example": "queued"}, 1)
    with smtplib.SMTP(settings.EMAIL_HOST, settings.EMAIL_PORT, timeout=1) as patient:
        assert patient.noop()[0] == 250  # the control: smtplib itself waits for each byte


def refused(settings, sink):
    settings.EMAIL_PORT = 1


def no_starttls(settings, sink):
    settings.EMAIL_USE_TLS = True


def no_tls(settings, sink):
    settings.EMAIL_USE_SSL, settings.EMAIL_TIMEOUT = True, 1


def wrong_password(settings, sink):
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "voc", "wrong"
    sink.extensions, sink.script["AUTH"] = "250 AUTH PLAIN", ["535 5.7.8 wrong", "535 5.7.8 wrong"]


def our_address_refused(settings, sink):
    sink.script["MAIL"] = ["553 5.7.1 not you", "553 5.7.1 not you"]


@pytest.mark.parametrize(
    "fault", [refused, no_starttls, no_tls, wrong_password, our_address_refused]
)
def test_a_fault_of_the_lane_pauses_it_tells_the_administrators_and_blames_no_address(
    sink, three, settings, administrator, fault
):
    sound = {
        name: getattr(settings, name)
        for name in ("EMAIL_PORT", "EMAIL_USE_TLS", "EMAIL_USE_SSL", "EMAIL_HOST_USER")
    }
    fault(settings, sink)
    now = timezone.now()
    assert send.drain(lambda: now) == 0
    assert send.drain(lambda: now + timedelta(seconds=31)) == 0  # the same outage
    assert set(states().values()) == {"queued"}
    (alarm,) = Message.objects.filter(kind="alarm")
    assert (alarm.user, alarm.state) == (administrator, "queued")
    lane = MailLane.objects.get()
    assert (lane.faults, lane.since) == (2, now)
    assert lane.reason
    for name, value in sound.items():
        setattr(settings, name, value)
    sink.script.clear()
    assert send.drain(lambda: now + timedelta(hours=1)) == 4  # with the alarm, which is history
    assert Suppression.objects.count() == DeliveryEvent.objects.count() == 0
    assert lanes.in_trouble() is None


@pytest.fixture
def half_a_character(three, monkeypatch):
    """In the name, and so in the subject, of one of the three, as a source that is not PostgreSQL
    would let it through."""
    take = claim.claim

    def claimed(*arguments):
        batch = take(*arguments)
        for message in batch:
            if message.invitation.customer.email == "c1@mills.example":
                message.invitation.customer.name = "Mar\ud800a"
        return batch

    monkeypatch.setattr(claim, "claim", claimed)


def test_half_a_character_in_a_subject_is_left_out(sink, half_a_character):
    assert send.drain(timezone.now) == 3
    (mail,) = [body for recipient, _, body in sink.kept if recipient == "c1@mills.example"]
    assert message_from_bytes(mail, policy=policy.default)["Subject"] == (
        "How are we doing, Mar a?"
    )


def test_one_mail_that_cannot_be_written_fails_alone(sink, half_a_character, monkeypatch):
    """The same subject, reaching the encoder as it is."""
    monkeypatch.setattr(headers, "UNPRINTABLE", re.compile(r"[\r\n]"))
    assert send.drain(timezone.now) == 2
    assert states() == {
        "c0@mills.example": "sent",
        "c1@mills.example": "failed",
        "c2@mills.example": "sent",
    }
    assert "surrogates not allowed" in Message.objects.get(state="failed").last_error
