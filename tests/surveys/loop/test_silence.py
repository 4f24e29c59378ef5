"""Key contacts who do not answer: their account's owner is told, once, in time."""

from datetime import timedelta

import pytest

from surveys.delivery import emails
from surveys.loop import answer, ask, silence
from surveys.models import Account, Customer, Invitation, Message, Response, Survey

DAY = timedelta(days=1)


@pytest.fixture
def key_contact(customer):
    customer.is_key_contact = True
    customer.save()
    return customer


@pytest.fixture
def asked(nps, key_contact, now):
    """The key contact's invitation, sent an hour after the decision to ask."""
    [invitation] = ask.invite(nps, [key_contact], "wave:1", now)
    Message.objects.update(state="sent", sent_at=now + timedelta(hours=1))
    return invitation


def alerts():
    return Message.objects.filter(kind="contact_silent")


def test_the_owner_is_told_after_the_surveys_days_and_once(asked, alice, now):
    sent = now + timedelta(hours=1)
    assert silence.tell_owners(sent + 14 * DAY - timedelta(seconds=1)) == 0
    assert silence.tell_owners(sent + 14 * DAY) == 1
    alert = alerts().get()
    assert (alert.user, alert.invitation, alert.state) == (alice, asked, "queued")
    assert alert.dedupe_key == f"silent:{asked.pk}"
    assert [silence.tell_owners(sent + days * DAY) for days in (14, 15, 40)] == [0, 0, 0]
    assert alerts().count() == 1


def test_who_has_answered_is_not_silent(asked, now):
    answer.give(asked, 9, "", now + DAY)
    assert silence.tell_owners(now + 15 * DAY) == 0
    Response.objects.update(verdict="machine")
    assert silence.tell_owners(now + 15 * DAY) == 1


@pytest.mark.parametrize(
    ("noun", "other"),
    [
        (Customer, {"is_key_contact": False}),
        (Account, {"owner": None}),
        (Survey, {"silence_alert_days": 0}),
        (Survey, {"silence_alert_days": 20}),
        (Survey, {"is_open": False}),
        (Message, {"state": "in_doubt"}),
        (Message, {"state": "cancelled"}),
        (Message, {"kind": "reminder"}),
    ],
    ids=str,
)
def test_nobody_is_told(asked, now, noun, other):
    noun.objects.update(**other)
    assert silence.tell_owners(now + 15 * DAY) == 0


def test_an_owner_who_left_is_not_told(asked, alice, now):
    alice.is_active = False
    alice.save()
    assert silence.tell_owners(now + 15 * DAY) == 0


def test_switching_the_alert_on_does_not_stir_up_last_year(asked, now):
    assert silence.tell_owners(now + 60 * DAY) == 0
    assert silence.tell_owners(now + 40 * DAY) == 1


def test_each_invitation_that_was_sent_and_not_answered_says_when_it_was_sent(
    asked, nps, customers, now
):
    ask.invite(nps, customers, "wave:2", now)
    assert [one.pk for one in Invitation.objects.unanswered()] == [asked.pk]
    assert Invitation.objects.unanswered().get().sent_at == now + timedelta(hours=1)


def test_the_number_of_queries_does_not_grow(asked, nps, account, now, django_assert_num_queries):
    def tell(number):
        Message.objects.filter(kind="contact_silent").delete()
        Message.objects.update(state="sent", sent_at=now)
        with django_assert_num_queries(2):  # the invitations with their owners; the mails
            assert silence.tell_owners(now + 15 * DAY) == number

    tell(1)
    for number in range(2):
        one = Customer.objects.create(
            account=account, email=f"k{number}@lakeside.example", is_key_contact=True
        )
        ask.invite(nps, [one], "wave:1", now)
    tell(3)


def test_the_mail_says_who_is_silent_and_how_to_reach_them(asked, key_contact, alice, now):
    key_contact.phone = "+49 30 901820"
    key_contact.save()
    silence.tell_owners(now + 15 * DAY)
    letter = emails.render(alerts().get())
    text = letter.content.decode()
    assert letter.recipient == alice.email
    assert "Ines Okafor (Lakeside Mills) has not answered" in text
    assert "+49 30 901820" in text
