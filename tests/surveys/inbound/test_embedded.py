import smtplib

import pytest
from django.utils import timezone

from surveys.delivery import verp
from surveys.inbound import embedded
from surveys.models import DeliveryEvent, InboundMail
from tests.surveys.inbound import mails
from voc.embedded.inbox import Inbox, newest_first

pytestmark = pytest.mark.django_db


@pytest.fixture
def inbox(tmp_path):
    with Inbox(tmp_path / "inbox") as running:
        yield running


def post(inbox, raw, to, sender="ines@lakeside.example"):
    with smtplib.SMTP("127.0.0.1", inbox.port) as smtp:
        smtp.sendmail(sender, [to], raw)


@pytest.mark.usefixtures("_bounce_address")
def test_mails_to_our_addresses_are_taken_in_and_the_others_left(inbox, message, customer):
    post(inbox, mails.reply(), "surveys@northwind.example")
    post(inbox, mails.bounce("nobody@x.example"), verp.address(message), sender="")
    post(inbox, mails.reply(Message_ID="<to.ines@x.example>"), "ines@lakeside.example")
    assert embedded.sweep(inbox.directory, timezone.now) == 2
    assert embedded.sweep(inbox.directory, timezone.now) == 0
    assert sorted(InboundMail.objects.values_list("kind", flat=True)) == ["bounce", "reply"]
    assert DeliveryEvent.objects.get().message == message


def test_what_was_taken_in_is_still_shown_in_the_inbox(inbox, customer):
    post(inbox, mails.reply(), "surveys@northwind.example")
    embedded.sweep(inbox.directory, timezone.now)
    (file,) = newest_first(inbox.directory)
    assert (file.parent.name, file.name.endswith(":2,S")) == ("cur", True)
    assert [mail["Subject"] for mail in inbox.messages()] == ["Re: How are we doing?"]


def test_an_empty_inbox_is_no_trouble(inbox):
    assert embedded.sweep(inbox.directory, timezone.now) == 0


def test_a_folder_that_is_not_there_yet_is_no_trouble(tmp_path):
    assert embedded.sweep(tmp_path / "none", timezone.now) == 0
