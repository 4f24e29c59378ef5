"""Zendesk: the signature of its documentation, and the body of a trigger."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from surveys.models import Customer, Event
from surveys.triggers.contract import Unreadable
from surveys.triggers.zendesk import Zendesk
from tests.surveys.triggers.conftest import SECRET, tell, zendesk_headers

AT = "2026-03-10T09:00:00Z"


def body(**more) -> bytes:
    """As the trigger that the module's docstring shows would send it."""
    told = {
        "ticket": "4711",
        "status": "solved",
        "email": "ines@lakeside.example",
        "external_id": "",
        "product": "Hotline",
        "updated_at": f"{timezone.now():%Y-%m-%dT%H:%MZ}",
    }
    return json.dumps(told | more).encode()


def send(payload: bytes, at: str = ""):
    headers = zendesk_headers(payload, at or f"{timezone.now():%Y-%m-%dT%H:%M:%SZ}")
    return tell("zendesk", payload, headers)


def test_the_signature_is_the_one_of_the_documentation(now):
    """Worked out by openssl: base64(HMAC-SHA256("key", timestamp + body))."""
    headers = {
        "X-Zendesk-Webhook-Signature": "S5uvEUM+JMDAI07mx1uFA1FiZJCzEJi1EroUOOS8e0g=",
        "X-Zendesk-Webhook-Signature-Timestamp": AT,
    }
    assert Zendesk().verify(headers, b'{"ticket": "1"}', "key", now)
    assert not Zendesk().verify(headers, b'{"ticket": "2"}', "key", now)
    assert not Zendesk().verify(headers, b'{"ticket": "1"}', "other", now)


@pytest.mark.parametrize("minutes", [-61, 61])
def test_a_signature_of_another_hour_is_refused(now, minutes):
    headers = zendesk_headers(b"{}", AT)
    assert Zendesk().verify(headers, b"{}", SECRET, now)
    assert not Zendesk().verify(headers, b"{}", SECRET, now + timedelta(minutes=minutes))


@pytest.mark.parametrize("at", ["", "yesterday", "2026-03-10T09:00:00", "2026-13-10T09:00:00Z"])
def test_a_signature_without_its_time_is_refused(now, at):
    assert not Zendesk().verify(zendesk_headers(b"{}", at), b"{}", SECRET, now)


def test_a_solved_ticket_becomes_an_event(trigger, customer):
    told = body()
    assert send(told).json() == {"stored": 1, "known": 0, "ignored": 0}
    event = Event.objects.get()
    updated_at = json.loads(told)["updated_at"]
    assert event.external_id == f"4711:solved:{updated_at}"
    assert (event.source, event.happening) == ("zendesk", "ticket.solved")
    assert (event.subject, event.product) == ("ticket:4711", "Hotline")
    assert (event.customer, event.outcome) == (customer, "waiting")
    assert f"{event.happened_at:%Y-%m-%dT%H:%MZ}" == updated_at


def test_sent_again_it_changes_nothing(trigger, customer):
    told = body()
    assert [send(told).json()["known"] for _ in range(3)] == [0, 1, 1]
    assert Event.objects.count() == 1


def test_a_ticket_that_was_opened_again_is_not_asked_about(trigger, customer):
    send(body())
    send(body(status="open"))
    outcomes = Event.objects.values_list("happening", "outcome")
    assert set(outcomes) == {("ticket.solved", "superseded"), ("ticket.reopened", "no_trigger")}


def test_whom_nobody_knows_is_created(trigger):
    send(body(email="New@Mills.Example", external_id="C-9", name="Noor Adeyemi"))
    customer = Customer.objects.get()
    assert (customer.email, customer.external_id) == ("new@mills.example", "C-9")
    assert (customer.name, Event.objects.get().customer) == ("Noor Adeyemi", customer)


def test_events_without_an_address_say_how_to_set_up_the_other_side():
    told = {"type": "zen:event-type:ticket.status_changed", "detail": {"id": "4711"}}
    with pytest.raises(Unreadable, match="connect the webhook to a trigger"):
        Zendesk().read(told)
