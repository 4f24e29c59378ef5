"""Events of a provider, in the shapes that Postmark and Mailgun document, through the real URL."""

import base64
import hashlib
import hmac
import json
from datetime import timedelta

import pytest
import requests
from django.utils import timezone

from surveys.delivery import outcomes
from surveys.models import DeliveryEvent, InboundMail, Message, Suppression
from tests.surveys.inbound import mails

pytestmark = pytest.mark.django_db(transaction=True)

TRACKING, INBOUND = "/hooks/mail/postmark/tracking", "/hooks/mail/postmark/inbound"
SECRET = "postmark:made-up-secret"


@pytest.fixture(autouse=True)
def _provider(settings):
    settings.MAIL_PROVIDER, settings.WEBHOOK_SECRET = "postmark", SECRET
    settings.ANYMAIL = {**settings.ANYMAIL, "WEBHOOK_SECRET": SECRET}


@pytest.fixture
def call(client):
    def called(url, payload, secret=SECRET):
        headers = {}
        if secret is not None:
            headers["Authorization"] = "Basic " + base64.b64encode(secret.encode()).decode()
        body = payload if isinstance(payload, str | bytes) else json.dumps(payload)
        return client.post(url, body, content_type="application/json", headers=headers).status_code

    return called


def bounced(message, kind="HardBounce", **changes):
    return {
        "RecordType": "Bounce",
        "ID": 4323372036854775807,
        "Type": kind,
        "MessageID": "pm-1",
        "Metadata": {"voc": message.message_id.strip("<>")},
        "Description": "The server was unable to deliver your message.",
        "Details": "smtp;550 5.1.1 no such user" if kind == "HardBounce" else "smtp;451 later",
        "Email": "ines@lakeside.example",
        "BouncedAt": timezone.now().isoformat(),
        **changes,
    }


def delivered(message, **changes):
    return {
        "RecordType": "Delivery",
        "MessageID": "pm-1",
        "Metadata": {"voc": message.message_id.strip("<>")},
        "Recipient": "ines@lakeside.example",
        "DeliveredAt": timezone.now().isoformat(),
        "Details": "250 OK",
        **changes,
    }


def suppressed():
    return list(Suppression.objects.values_list("reason", flat=True))


def test_a_hard_bounce_stops_the_address(call, message):
    assert call(TRACKING, bounced(message)) == 200
    event = DeliveryEvent.objects.get()
    assert (event.message, event.kind, event.source) == (message, "hard_bounce", "postmark")
    assert event.detail == "smtp;550 5.1.1 no such user"
    assert suppressed() == ["bounced"]


def test_a_complaint_stops_the_address(call, message):
    payload = bounced(message, "SpamComplaint", RecordType="SpamComplaint")
    assert call(TRACKING, payload) == 200
    assert suppressed() == ["complained"]


def test_a_soft_bounce_is_counted(call, message, customer):
    assert call(TRACKING, bounced(message, "SoftBounce")) == 200
    customer.refresh_from_db()
    assert (suppressed(), customer.soft_bounces) == ([], 1)


def test_a_mail_in_doubt_is_resolved_by_its_event(call, message):
    Message.objects.update(state="in_doubt", sent_at=None)
    assert call(TRACKING, delivered(message)) == 200
    message.refresh_from_db()
    assert message.state == "sent"


def test_a_mail_is_found_by_the_providers_name_too(call, message):
    Message.objects.update(provider_id="pm-1")
    assert call(TRACKING, delivered(message, Metadata={})) == 200
    assert DeliveryEvent.objects.get().message == message


@pytest.mark.parametrize("make", [bounced, delivered])
def test_a_replay_has_no_effect(call, message, make):
    payload = make(message)
    assert [call(TRACKING, payload) for _ in range(3)] == [200] * 3
    assert DeliveryEvent.objects.count() == 1


def test_without_the_name_of_the_event_a_replay_would_count_again(call, message, monkeypatch):
    """The control: the same replay when each request gets an id of its own."""
    numbers = iter(range(9))
    real = outcomes.record

    def careless(*about, event_id, **values):
        return real(*about, event_id=str(next(numbers)), **values)

    monkeypatch.setattr(outcomes, "record", careless)
    for _ in range(3):
        call(TRACKING, bounced(message))
    assert DeliveryEvent.objects.count() == 3


@pytest.mark.parametrize(
    "secret", [None, "", "postmark:wrong", "wrong:made-up-secret", SECRET + "x"]
)
@pytest.mark.parametrize("url", [TRACKING, INBOUND])
def test_a_forged_call_is_refused(call, message, url, secret):
    assert call(url, bounced(message), secret) == 401
    assert (DeliveryEvent.objects.count(), InboundMail.objects.count()) == (0, 0)


def test_with_the_check_off_the_forged_call_would_count(call, message, settings):
    """The control: anymail without a secret of its own lets everybody in."""
    settings.ANYMAIL = {**settings.ANYMAIL, "WEBHOOK_SECRET": []}
    with pytest.warns(Warning, match="insecure"):
        assert call(TRACKING, bounced(message), "postmark:wrong") == 200
    assert DeliveryEvent.objects.count() == 1


@pytest.mark.parametrize("age", [timedelta(days=31), -timedelta(hours=2)])
def test_what_is_old_or_from_the_future_is_refused(call, message, age):
    payload = bounced(message, BouncedAt=(timezone.now() - age).isoformat())
    assert call(TRACKING, payload) == 401
    assert not DeliveryEvent.objects.exists()


@pytest.mark.parametrize(
    "payload",
    ["", "{", "[]", "null", "7", '"text"', b"\xff\xfe", '{"RecordType": 7}',
     '{"RecordType": "Bounce", "BouncedAt": "no date"}', "[" * 100_000,
     '{"RecordType": "Bounce", "Metadata": 7}', '{"RecordType": "Inbound"}'],
)  # fmt: skip
@pytest.mark.parametrize("url", [TRACKING, INBOUND])
def test_what_no_provider_says_is_refused_or_changes_nothing(call, message, payload, url):
    assert call(url, payload) in (200, 400)
    assert not DeliveryEvent.objects.exists()


def test_what_the_database_cannot_hold_does_no_harm(call, message):
    payload = bounced(message, ID="a\x00b", Details="5.1.1 \x00 \ud800", Description="\x00")
    assert call(TRACKING, payload) == 200
    assert DeliveryEvent.objects.count() == 1


@pytest.mark.parametrize("bad", ["a\x00b", "a\ud800b"])
def test_no_name_that_the_database_cannot_hold_breaks_it(call, message, bad):
    names = {"voc": f"voc.{message.pk}.invitation@{bad}.example"}
    assert call(TRACKING, bounced(message, Metadata=names, MessageID=bad)) == 200
    assert call(TRACKING, bounced(message, Email=f"{bad}@lakeside.example")) == 200
    assert DeliveryEvent.objects.count() == 1


@pytest.mark.parametrize(
    "metadata", [{}, {"voc": "voc.999999.invitation@northwind.example"}, {"voc": 7}]
)
def test_a_mail_that_is_not_ours_is_left(call, message, metadata):
    payload = bounced(message, Metadata=metadata, MessageID="somebody else's")
    assert call(TRACKING, payload) == 200
    assert not DeliveryEvent.objects.exists()


def test_an_address_that_has_changed_meanwhile_is_not_blamed(call, message, customer, nps):
    customer.email = "ines.new@lakeside.example"
    customer.save()
    call(TRACKING, bounced(message))
    addresses = ["ines.new@lakeside.example", "ines@lakeside.example"]
    assert Suppression.among(addresses, nps) == {"ines@lakeside.example"}


def test_a_mail_that_the_provider_did_not_even_try_is_shown_as_failed(call, message):
    assert call(TRACKING, bounced(message, "Blocked")) == 200
    message.refresh_from_db()
    assert (message.state, suppressed()) == ("failed", [])
    assert message.last_error.startswith("postmark did not send it:")


def test_a_reply_comes_in_once(call, message, customer):
    raw = mails.reply(In_Reply_To=message.message_id).decode()
    payload = {"RawEmail": raw, "OriginalRecipient": "surveys@northwind.example", "FromFull": {}}
    assert [call(INBOUND, payload) for _ in range(2)] == [200, 200]
    mail = InboundMail.objects.get()
    assert (mail.kind, mail.customer, mail.text) == ("reply", customer, "Nobody called me back.")


@pytest.mark.parametrize("url", ["/hooks/mail/mailgun/tracking", "/hooks/mail/postmark/other"])
def test_only_the_chosen_provider_is_listened_to(call, message, url):
    assert call(url, bounced(message)) == 404


def test_without_a_secret_nobody_is_listened_to(call, message, settings):
    settings.WEBHOOK_SECRET = ""
    assert call(TRACKING, bounced(message)) == 404


def test_a_get_changes_nothing(client, message):
    assert client.get(TRACKING).status_code == 405
    assert not DeliveryEvent.objects.exists()


def test_a_real_request_finds_its_way(live_server, message):
    answer = requests.post(
        live_server.url + TRACKING, json=bounced(message), auth=tuple(SECRET.split(":")), timeout=10
    )
    assert (answer.status_code, suppressed()) == (200, ["bounced"])


@pytest.fixture
def mailgun(client, settings, message):
    """A call as Mailgun signs it: HMAC-SHA256 of its time and a token."""
    settings.MAIL_PROVIDER = "mailgun"
    settings.ANYMAIL = {**settings.ANYMAIL, "MAILGUN_WEBHOOK_SIGNING_KEY": "signing-key"}

    def called(key=b"signing-key", **changes):
        stamp, token = str(int(timezone.now().timestamp())), "t" * 50
        signed = hmac.new(key, f"{stamp}{token}".encode(), hashlib.sha256).hexdigest()
        event = {
            "event": "failed", "severity": "permanent", "id": "mg-1", "timestamp": float(stamp),
            "recipient": "ines@lakeside.example", "reason": "bounce",
            "delivery-status": {"code": 550, "message": "5.1.1 no such user"},
            "user-variables": {"voc": message.message_id.strip("<>")},
            "message": {"headers": {"message-id": "mg.1@x.example"}}, **changes,
        }  # fmt: skip
        body = {
            "signature": {"timestamp": stamp, "token": token, "signature": signed},
            "event-data": event,
        }
        return client.post(
            "/hooks/mail/mailgun/tracking",
            json.dumps(body),
            content_type="application/json",
            headers={"Authorization": "Basic " + base64.b64encode(SECRET.encode()).decode()},
        ).status_code

    return called


def test_a_signed_event_of_another_provider_counts(mailgun):
    assert mailgun() == 200
    assert (suppressed(), DeliveryEvent.objects.get().source) == (["bounced"], "mailgun")


def test_a_wrong_signature_is_refused(mailgun):
    assert mailgun(key=b"another") == 401
    assert suppressed() == []


def test_a_delay_changes_nothing(mailgun):
    assert mailgun(severity="temporary") == 200
    assert not DeliveryEvent.objects.exists()
