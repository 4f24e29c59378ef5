from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from surveys.delivery import verp
from surveys.inbound.take_in import take_in
from surveys.models import Customer, DeliveryEvent, InboundMail, Message, Suppression
from tests.surveys.inbound import mails

pytestmark = pytest.mark.django_db


def suppressed():
    return list(Suppression.objects.values_list("reason", flat=True))


@pytest.mark.usefixtures("_bounce_address")
def test_a_bounce_by_its_return_path_stops_the_address(message, customer, now):
    assert take_in(mails.bounce(verp.address(message)), now)
    event = DeliveryEvent.objects.get()
    assert (event.message, event.kind, event.source) == (message, "hard_bounce", "mailbox")
    assert event.event_id == "<bounce.1@mx.lakeside.example>"
    assert suppressed() == ["bounced"]
    mail = InboundMail.objects.get()
    assert (mail.kind, mail.customer, mail.invitation) == (
        "bounce", customer, message.invitation,
    )  # fmt: skip


@pytest.mark.usefixtures("_bounce_address")
def test_the_same_bounce_counts_once(message, now):
    raw = mails.bounce(verp.address(message), status="4.4.7")
    assert [take_in(raw, now), take_in(raw, now)] == [True, False]
    assert (DeliveryEvent.objects.count(), InboundMail.objects.count()) == (1, 1)


@pytest.mark.usefixtures("_bounce_address")
def test_a_delay_stops_nothing_and_is_kept(message, now):
    take_in(mails.bounce(verp.address(message), action="delayed", status="4.4.7"), now)
    assert (suppressed(), DeliveryEvent.objects.count()) == ([], 0)
    assert InboundMail.objects.get().kind == "bounce"


@pytest.mark.usefixtures("_bounce_address")
@pytest.mark.parametrize("forged", ["bounces+{pk}-aaaaaaaaaaaa@x.example", "bounces@x.example"])
def test_a_forged_bounce_stops_nobody(message, now, forged):
    original = f"Message-ID: {message.message_id}\n"
    assert not take_in(mails.bounce(forged.format(pk=message.pk), original=original), now)
    assert (suppressed(), DeliveryEvent.objects.count()) == ([], 0)
    assert InboundMail.objects.get().customer is None


@pytest.mark.usefixtures("_bounce_address")
def test_the_return_path_of_another_mail_counts_for_that_mail(message, alice, now):
    notice = Message.objects.create(
        kind="welcome", dedupe_key="w", user=alice, next_at=now, created_at=now
    )
    take_in(mails.bounce(verp.address(notice)), now)
    assert (suppressed(), DeliveryEvent.objects.get().message) == ([], notice)


@pytest.mark.usefixtures("_bounce_address")
def test_the_secret_link_in_what_came_back_proves_it_too(message, invitation, now):
    link = f"List-Unsubscribe: <https://x.example/u/{invitation.token('unsubscribe')}>\n"
    assert take_in(mails.bounce(original=link), now)
    assert suppressed() == ["bounced"]


@pytest.mark.usefixtures("_bounce_address")
def test_the_link_to_answer_proves_nothing(message, invitation, now):
    link = f"List-Unsubscribe: <https://x.example/u/{invitation.token()}>\n"
    assert not take_in(mails.bounce(original=link), now)
    assert suppressed() == []


@pytest.mark.parametrize(
    ("about", "stopped"),
    [("ines@lakeside.example", ["bounced"]), ("somebody@else.example", [])],
)
def test_without_a_bounce_address_id_and_recipient_must_fit(message, now, about, stopped):
    original = f"Message-ID: {message.message_id}\n"
    raw = mails.bounce("surveys@northwind.example", about=about, original=original)
    take_in(raw, now)
    assert suppressed() == stopped


@pytest.mark.usefixtures("_bounce_address")
def test_a_bounce_in_prose_is_taken_in(message, now):
    take_in(mails.PROSE % verp.address(message).encode(), now)
    assert suppressed() == ["bounced"]


def test_a_complaint_that_names_none_of_our_mails_stops_nobody(message, now):
    assert not take_in(mails.complaint(mail_from="surveys@northwind.example"), now)
    assert (suppressed(), InboundMail.objects.get().kind) == ([], "complaint")


@pytest.mark.usefixtures("_bounce_address")
def test_a_complaint_about_a_return_path_stops_the_address(message, now):
    assert take_in(mails.complaint(mail_from=verp.address(message)), now)
    assert (suppressed(), DeliveryEvent.objects.get().kind) == (["complained"], "complaint")


@pytest.mark.parametrize(
    ("kind", "stopped"),
    [("abuse", ["complained"]), ("opt-out", ["unsubscribed"]), ("not-spam", [])],
)
def test_a_complaint_with_the_secret_link_says_what_it_says(invitation, now, kind, stopped):
    link = f"List-Unsubscribe: <https://x.example/u/{invitation.token('unsubscribe')}>\n"
    take_in(mails.complaint(link, kind=kind), now)
    assert suppressed() == stopped


def test_a_reply_is_found_by_what_it_answers(message, customer, now):
    raw = mails.reply(sender="ines.private@mail.example", In_Reply_To=message.message_id)
    assert take_in(raw, now)
    mail = InboundMail.objects.get()
    assert (mail.kind, mail.customer, mail.invitation, mail.sender, mail.text) == (
        "reply", customer, message.invitation, "ines.private@mail.example",
        "Nobody called me back.",
    )  # fmt: skip


def test_a_reply_is_found_by_who_wrote_it(customer, now):
    take_in(mails.reply(sender="INES@Lakeside.example"), now)
    mail = InboundMail.objects.get()
    assert (mail.kind, mail.customer, mail.invitation) == ("reply", customer, None)


def test_a_reply_that_quotes_nothing_answers_the_latest_invitation(invitation, customer, now):
    take_in(mails.reply(), now)
    mail = InboundMail.objects.get()
    assert (mail.customer, mail.invitation) == (customer, invitation)


def test_a_mail_of_a_stranger_is_kept_apart(customer, now):
    Customer.objects.create(name="Without an address")
    take_in(mails.reply(sender="stranger@else.example"), now)
    take_in(mails.reply(From=None, Message_ID="<nobody@x.example>"), now)
    assert set(InboundMail.objects.values_list("kind", "customer")) == {("other", None)}


def test_an_automatic_reply_is_kept_as_one(message, customer, now):
    take_in(mails.reply(Auto_Submitted="auto-replied", In_Reply_To=message.message_id), now)
    mail = InboundMail.objects.get()
    assert (mail.kind, mail.customer, DeliveryEvent.objects.count()) == ("auto_reply", customer, 0)


@pytest.mark.usefixtures("_bounce_address")
def test_an_automatic_reply_to_the_return_path_is_found_by_it(message, customer, now):
    raw = mails.reply(Auto_Submitted="auto-replied", sender="robot@lakeside.example")
    take_in(raw, now, delivered_to=[verp.address(message)])
    assert InboundMail.objects.get().customer == customer


@pytest.mark.usefixtures("_bounce_address")
def test_the_envelope_names_the_recipient_where_the_mail_does_not(message, now):
    assert take_in(mails.bounce("undisclosed@x.example"), now, [verp.address(message).upper()])
    assert suppressed() == ["bounced"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_bounce_address")
def test_one_mail_by_four_ways_at_once_is_taken_in_once(message, now):
    raw = mails.bounce(verp.address(message))

    def way(_):
        try:
            return take_in(raw, now)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(way, range(4))) == [False, False, False, True]
    assert (InboundMail.objects.count(), DeliveryEvent.objects.count()) == (1, 1)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_bounce_address")
def test_without_the_message_id_it_would_be_taken_in_four_times(message, now):
    """The control: each way gives the mail an id of its own."""

    def way(number):
        try:
            return take_in(mails.bounce(verp.address(message), message_id=f"<{number}@x.y>"), now)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(way, range(4))) == [True] * 4
