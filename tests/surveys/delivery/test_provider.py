from collections import Counter

import pytest
from django.utils import timezone

from surveys.delivery import lanes, provider, send
from surveys.loop import ask
from surveys.models import Customer, DeliveryEvent, MailLane, Message, Suppression
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


@pytest.mark.parametrize("status", [401, 402, 403, 404])
def test_what_is_wrong_with_us_pauses_the_lane_and_blames_nobody(api, asked, administrator, status):
    api.answers = [(status, {"ErrorCode": 10, "Message": "Bad or missing server API token."})]
    assert send.drain(timezone.now) == 0
    mails = Message.objects.filter(kind="invitation")
    assert (set(mails.values_list("state", flat=True)), len(api.kept)) == ({"queued"}, 1)
    assert lanes.is_paused(timezone.now())
    assert Message.objects.get(kind="alarm").user == administrator
    assert not Suppression.objects.exists()


@pytest.mark.parametrize("status", [400, 413, 422])
def test_what_is_wrong_with_one_mail_fails_that_mail_alone(api, asked, status):
    api.answers = [(status, {"ErrorCode": 1, "Message": "The attachment is not one."})]
    assert send.drain(timezone.now) == 2
    assert states() == {"sent": 2, "failed": 1}
    said = Message.objects.get(state="failed").last_error
    assert str(status) in said
    assert not lanes.in_trouble()
    assert not DeliveryEvent.objects.exists()
    assert not Suppression.objects.exists()


def test_a_provider_that_refuses_one_mail_after_the_other_means_us(api, nps, account):
    """Such as a sender whom it does not know: only the first few are failed, all others wait."""
    many = [Customer(account=account, email=f"p{i}@mills.example") for i in range(9)]
    ask.invite(nps, Customer.objects.bulk_create(many), "test:2", timezone.now())
    api.answers = [(422, {"ErrorCode": 400, "Message": "The sender is not confirmed."})] * 9
    assert send.drain(timezone.now) == 0
    assert states() == {"failed": provider.REFUSED_IN_A_ROW, "queued": 4}
    assert "The sender is not confirmed." in MailLane.objects.get().reason


@pytest.mark.parametrize("status", [429, 503])
def test_a_provider_that_is_busy_is_left_alone_for_a_while(api, asked, status):
    api.answers = [(status, {"ErrorCode": status, "Message": "Rate limit"})]
    assert send.drain(timezone.now) == 0
    assert (states(), len(api.kept)) == ({"queued": 3}, 1)
    assert lanes.is_paused(timezone.now())


@pytest.mark.parametrize(
    "answer", [(500, {"ErrorCode": 0}), (502, "<html>"), (408, {}), (200, "not even JSON")]
)
def test_an_unclear_answer_leaves_one_mail_in_doubt_and_asks_no_further(api, asked, answer):
    api.answers = [answer]
    assert send.drain(timezone.now) == 0
    assert (states(), len(api.kept)) == ({"in_doubt": 1, "queued": 2}, 1)
    assert lanes.is_paused(timezone.now())


def test_an_unclear_answer_to_the_last_mail_pauses_the_lane_as_well(api, asked):
    Message.objects.exclude(pk=Message.objects.earliest("pk").pk).delete()
    api.answers = [(500, {"ErrorCode": 0})]
    assert send.drain(timezone.now) == 0
    assert states() == {"in_doubt": 1}
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
