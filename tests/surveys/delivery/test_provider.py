from collections import Counter

import pytest
from django.utils import timezone

from surveys.delivery import lanes, provider, send
from surveys.models import DeliveryEvent, MailLane, Message, Suppression
from tests.surveys.delivery.provider_api import ProviderApi

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def api(settings):
    with ProviderApi() as running:
        settings.MAIL_PROVIDER = "postmark"
        settings.MAIL_CONNECTIONS = 1
        settings.ANYMAIL = {
            **settings.ANYMAIL,
            "POSTMARK_SERVER_TOKEN": "made-up",
            "POSTMARK_API_URL": running.url,
        }
        yield running


def states() -> Counter:
    return Counter(Message.objects.values_list("state", flat=True))


def test_every_due_mail_goes_to_the_provider_once(api, asked):
    assert send.drain(timezone.now) == 3
    assert sorted(mail["To"] for mail in api.kept) == [
        f"Customer {i} <c{i}@mills.example>" for i in range(3)
    ]
    assert states() == {"sent": 3}
    assert send.drain(timezone.now) == 0


def test_a_sent_mail_knows_the_providers_name_for_it(api, asked):
    send.drain(timezone.now)
    ids = Message.objects.order_by("pk").values_list("provider_id", flat=True)
    assert sorted(ids) == ["pm-1", "pm-2", "pm-3"]


def test_the_mail_is_whole(api, asked):
    send.drain(timezone.now)
    message = Message.objects.get(provider_id="pm-1")
    mail, invitation = api.kept[0], message.invitation
    assert mail["Subject"] == f"How are we doing, {invitation.customer.name}?"
    assert mail["From"] == "Northwind Parcels <surveys@northwind.example>"
    headers = {header["Name"]: header["Value"] for header in mail["Headers"]}
    assert headers["Message-ID"] == message.message_id
    assert headers["Auto-Submitted"] == "auto-generated"
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert headers["List-Unsubscribe"].endswith(f"/u/{invitation.token('unsubscribe')}>")
    for body in (mail["TextBody"], mail["HtmlBody"]):
        assert f"/a/{invitation.token()}?score=9" in body
    assert (mail["TrackOpens"], mail["TrackLinks"]) == (False, "None")


def test_each_mail_has_its_own_key_which_a_second_request_would_repeat(api, asked):
    send.drain(timezone.now)
    keys = [headers["Idempotency-Key"] for headers in api.headers]
    ids = Message.objects.order_by("provider_id").values_list("message_id", flat=True)
    assert keys == [message_id.strip("<>") for message_id in ids]
    assert [mail["Metadata"]["voc"] for mail in api.kept] == keys


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (300, "Error parsing 'To': Illegal email address 'c0@mills.example'."),
        (406, "Found inactive addresses: c0@mills.example. Inactive recipients are ones that"),
    ],
)
def test_an_address_that_the_provider_refuses_is_a_hard_bounce(api, asked, code, said):
    api.answers = [(422, {"ErrorCode": code, "Message": said})]
    assert send.drain(timezone.now) == 2
    assert states() == {"sent": 2, "failed": 1}
    assert DeliveryEvent.objects.get().kind == "hard_bounce"
    assert Suppression.objects.count() == 1


def test_a_request_that_the_provider_does_not_take_pauses_the_lane_and_blames_nobody(api, asked):
    api.answers = [(401, {"ErrorCode": 10, "Message": "Bad or missing server API token."})]
    assert send.drain(timezone.now) == 0
    assert (states(), len(api.kept)) == ({"queued": 3}, 1)
    assert lanes.is_paused(timezone.now())
    assert not Suppression.objects.exists()


def test_a_provider_that_is_busy_is_left_alone_for_a_while(api, asked):
    api.answers = [(429, {"ErrorCode": 429, "Message": "Rate limit"})]
    assert send.drain(timezone.now) == 0
    assert (states(), len(api.kept)) == ({"queued": 3}, 1)


@pytest.mark.parametrize("answer", [(500, {"ErrorCode": 0}), (200, "not even JSON")])
def test_an_unclear_answer_leaves_one_mail_in_doubt_and_asks_no_further(api, asked, answer):
    api.answers = [answer]
    assert send.drain(timezone.now) == 0
    assert (states(), len(api.kept)) == ({"in_doubt": 1, "queued": 2}, 1)
    assert lanes.is_paused(timezone.now())


def test_a_provider_that_hangs_up_after_it_took_the_mail_leaves_it_in_doubt(api, asked):
    api.hang_up = True
    assert send.drain(timezone.now) == 0
    assert (states(), len(api.kept)) == ({"in_doubt": 1, "queued": 2}, 1)


def test_a_provider_that_cannot_be_reached_took_nothing_for_certain(api, asked, settings):
    settings.ANYMAIL = {**settings.ANYMAIL, "POSTMARK_API_URL": "http://127.0.0.1:1/"}
    assert send.drain(timezone.now) == 0
    assert states() == {"queued": 3}
    assert set(Message.objects.values_list("handed_at", flat=True)) == {None}


def test_missing_credentials_are_named(api, asked, settings):
    settings.ANYMAIL = {"POSTMARK_API_URL": api.url}
    assert send.drain(timezone.now) == 0
    assert "POSTMARK_SERVER_TOKEN" in MailLane.objects.get().reason
    assert states() == {"queued": 3}


def test_without_a_provider_mail_goes_out_by_smtp(settings):
    settings.MAIL_PROVIDER = ""
    assert type(provider.lane()) is provider.Lane
