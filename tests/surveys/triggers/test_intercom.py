"""Intercom: its signature, and notifications as it sends them."""

import json

import pytest
from django.test import Client
from django.utils import timezone

from surveys.models import Customer, Event
from surveys.triggers.intercom import Intercom
from tests.surveys.triggers.conftest import intercom_headers, tell

AUTHOR = {"type": "user", "id": "5ee3", "name": "Ines Okafor", "email": "ines@lakeside.example"}


def notification(topic="conversation.admin.closed", number=1, **conversation) -> bytes:
    item = {
        "type": "conversation",
        "id": "137324500000000",
        "source": {"type": "conversation", "author": AUTHOR},
        "contacts": {"type": "contact.list", "contacts": [{"type": "contact", "id": "5ee3"}]},
        "conversation_parts": {"conversation_parts": [{"author": {"type": "admin"}}]},
        "state": "closed",
    }
    told = {
        "type": "notification_event",
        "app_id": "a86dr8yl",
        "data": {"type": "notification_event_data", "item": item | conversation},
        "links": {},
        "id": f"notif_{number}",
        "topic": topic,
        "delivery_status": "pending",
        "delivery_attempts": 1,
        "created_at": int(timezone.now().timestamp()),
        "self": None,
    }
    return json.dumps(told).encode()


def send(body: bytes):
    return tell("intercom", body, intercom_headers(body))


def test_the_signature_is_the_one_of_the_documentation(now):
    """Worked out by openssl: "sha1=" and the HMAC-SHA1 of the body."""
    headers = {"X-Hub-Signature": "sha1=d3c23045616d365769a26a2e884c9663df9d6e98"}
    assert Intercom().verify(headers, b'{"topic": "ping"}', "key", now)
    assert not Intercom().verify(headers, b'{"topic": "pong"}', "key", now)
    assert not Intercom().verify(headers, b'{"topic": "ping"}', "other", now)
    assert not Intercom().verify({}, b'{"topic": "ping"}', "key", now)


def test_a_closed_conversation_becomes_an_event(trigger, customer):
    body = notification()
    assert send(body).json() == {"stored": 1, "known": 0, "ignored": 0}
    event = Event.objects.get()
    assert (event.external_id, event.happening) == ("notif_1", "conversation.admin.closed")
    assert (event.subject, event.customer) == ("conversation:137324500000000", customer)
    assert int(event.happened_at.timestamp()) == json.loads(body)["created_at"]
    assert send(body).json() == {"stored": 0, "known": 1, "ignored": 0}


def test_one_that_was_opened_again_is_not_asked_about(trigger, customer):
    send(notification())
    send(notification("conversation.admin.opened", number=2))
    assert Event.objects.get(external_id="notif_1").outcome == "superseded"


def test_it_may_ask_whether_we_are_there_and_ping(trigger):
    assert Client().head("/hooks/intercom/").status_code == 200
    body = json.dumps({"type": "notification_event", "topic": "ping", "data": {}}).encode()
    assert send(body).json() == {"stored": 0, "known": 0, "ignored": 0}


@pytest.mark.parametrize(
    "conversation",
    [
        {"source": {"author": {"type": "admin", "email": "agent@northwind.example"}}},
        {"source": None, "contacts": None},
        {"source": [], "contacts": {"contacts": "all"}},
    ],
    ids=str,
)
def test_a_conversation_with_nobody_we_could_ask_asks_nobody(trigger, conversation, caplog):
    assert send(notification(**conversation)).json() == {"stored": 0, "known": 0, "ignored": 1}
    assert not Customer.objects.exists()
    assert "about nobody we could ask" in caplog.text


def test_whom_a_colleague_wrote_to_first_is_found_by_the_companys_own_id(trigger, customer):
    Customer.objects.update(external_id="C-1")
    send(
        notification(
            source={"author": {"type": "admin", "email": "agent@northwind.example"}},
            contacts={"contacts": [{"type": "contact", "id": "5ee3", "external_id": "C-1"}]},
        )
    )
    assert Event.objects.get().customer == customer
