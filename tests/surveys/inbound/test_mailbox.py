from datetime import timedelta

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from surveys.delivery import emails, lanes, verp
from surveys.inbound import mailbox
from surveys.models import DeliveryEvent, InboundMail, Message
from tests.surveys.inbound import mails
from tests.surveys.inbound.imap import CERTIFICATE, Mailbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.usefixtures("_bounce_address")
def test_what_is_new_is_taken_in_and_marked_as_seen(message, customer):
    new = [mails.bounce(verp.address(message)), mails.reply(sender=customer.email)]
    with Mailbox(new) as box:
        assert mailbox.sweep(box.url, timezone.now) == 2
        assert box.unseen == []
        assert mailbox.sweep(box.url, timezone.now) == 0
        assert box.fetched == [1, 2]
    assert sorted(InboundMail.objects.values_list("kind", flat=True)) == ["bounce", "reply"]
    assert DeliveryEvent.objects.get().message == message


def test_a_mail_that_was_stored_but_not_marked_counts_once(customer):
    with Mailbox([mails.reply()]) as box:
        box.hang_up_at = "UID STORE"
        with pytest.raises(mailbox.Unreachable):
            mailbox.sweep(box.url, timezone.now)
        assert box.unseen == [1]
        box.hang_up_at = ""
        assert mailbox.sweep(box.url, timezone.now) == 0
        assert box.unseen == []
    assert InboundMail.objects.count() == 1


def test_a_mail_that_cannot_be_stored_stays_unseen_and_the_others_go_on(customer):
    with Mailbox([mails.reply(), mails.reply("The second", Message_ID="<2@x.example>")]) as box:
        times = iter([None, timezone.now()])  # the database refuses the first
        assert mailbox.sweep(box.url, lambda: next(times)) == 1
        assert box.unseen == [1]
        assert mailbox.sweep(box.url, timezone.now) == 1
    assert InboundMail.objects.count() == 2


def test_a_mail_of_any_size_is_read_up_to_a_limit(customer):
    with Mailbox([mails.reply("x" * 2_000_000)]) as box:
        assert mailbox.sweep(box.url, timezone.now) == 1
    assert len(InboundMail.objects.get().text) == 5_000


@pytest.mark.parametrize(
    ("place", "other", "said"),
    [
        ("p%40ss", "wrong", "AUTHENTICATIONFAILED"),
        ("Returned mail", "Elsewhere", "no folder Elsewhere"),
    ],
)
def test_a_mailbox_that_does_not_open_is_named(place, other, said):
    with Mailbox([]) as box, pytest.raises(mailbox.Unreachable, match=said):
        mailbox.sweep(box.url.replace(place, other), timezone.now)


@pytest.mark.parametrize("scheme", ["imap+ssl", "imap+tls"])
def test_a_mailbox_is_read_over_tls_if_its_certificate_is_good(customer, monkeypatch, scheme):
    with Mailbox([mails.reply()], scheme) as box:
        with pytest.raises(mailbox.Unreachable, match="certificate verify failed"):
            mailbox.sweep(box.url, timezone.now)
        assert box.fetched == []
        monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
        assert mailbox.sweep(box.url, timezone.now) == 1


def test_a_mailbox_that_does_not_answer_is_named():
    with pytest.raises(mailbox.Unreachable, match=r"127\.0\.0\.1"):
        mailbox.sweep("imap://voc:secret@127.0.0.1:1/INBOX", timezone.now)


def fail(box, now) -> None:
    with pytest.raises(mailbox.Unreachable):
        mailbox.sweep(box.url.replace("p%40ss", "wrong"), lambda: now)


def alarms() -> list[str]:
    mails = Message.objects.filter(kind="alarm").order_by("pk")
    return [emails.render(mail).content.decode() for mail in mails]


def test_administrators_are_told_once_of_a_mailbox_that_stays_shut(administrator, manager, now):
    minute = timedelta(minutes=1)
    with Mailbox([mails.reply()]) as box:
        for n in range(2):
            fail(box, now + n * minute)
        assert alarms() == []
        for n in range(2, 9):
            fail(box, now + n * minute)
        [alarm] = alarms()
        assert f"<{administrator.email}>" in alarm
        assert "Subject: Bounces and replies are not read" in alarm
        assert "AUTHENTICATIONFAILED" in alarm
        assert lanes.in_trouble() is None  # mail goes out all the same
        assert mailbox.sweep(box.url, timezone.now) == 1
        assert "can be read again" in alarms()[0]
        for n in range(20, 23):
            fail(box, now + n * minute)
        assert len(alarms()) == 2


def test_a_mailbox_that_is_away_for_a_moment_alarms_nobody(administrator, now):
    with Mailbox([]) as box:
        for _ in range(3):
            fail(box, now)
            fail(box, now)
            mailbox.sweep(box.url, lambda: now)
    assert alarms() == []


def test_an_address_has_its_usual_port_and_folder():
    address = mailbox.address_of("imap+ssl://voc:a%2Fb@mail.example.com")
    assert (address.port, address.folder, address.password) == (993, "INBOX", "a/b")


@pytest.mark.parametrize("url", ["", "mail.example.com", "pop3://a:b@c", "imap+ssl://mail.example"])
def test_what_is_no_address_says_how_one_looks(url):
    with pytest.raises(ImproperlyConfigured, match="imap\\+ssl://user:password@"):
        mailbox.address_of(url)
