"""The door of the hooks: who may come in, with what; and that the same twice is once."""

import json

import pytest
from django.test import Client

from surveys.loop import happen
from surveys.models import AuditEntry, Customer, Event, Invitation
from surveys.triggers.door import SYSTEMS
from tests.surveys.triggers.conftest import SECRET, tell

HEADERS = {"X-Voc-Secret": SECRET}
TICKET = {
    "ticket_id": 11,
    "ticket_status": "Resolved",
    "ticket_contact_email": "ines@lakeside.example",
}


def send(payload, headers=HEADERS):
    return tell("freshdesk", payload, headers)


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_system_without_a_secret_has_no_address(settings, db, name):
    settings.HOOK_SECRETS[name] = ""
    assert tell(name, {}, HEADERS).status_code == 404
    assert Client().head(f"/hooks/{name}/").status_code == 404


@pytest.mark.parametrize("name", ["nonsense", "zen%00desk", "../admin"])
def test_an_unknown_system_has_none_either(db, name):
    assert tell(name, {}, HEADERS).status_code == 404


@pytest.mark.parametrize("name", SYSTEMS)
def test_nobody_else_comes_in(db, name):
    assert tell(name, {}, {}).status_code == 401
    assert tell(name, b"[", {"X-Voc-Secret": "guessed", "X-Hub-Signature": "é"}).status_code == 401


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_only_telling_is_allowed(db, method):
    response = Client(headers=HEADERS).generic(method, "/hooks/freshdesk/")
    assert response.status_code == 405


def test_it_sets_no_cookie_and_needs_none(trigger, customer):
    client = Client(enforce_csrf_checks=True, headers=HEADERS)
    response = client.post("/hooks/freshdesk/", json.dumps(TICKET), "application/json")
    assert (response.status_code, len(response.cookies)) == (200, 0)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "Expecting value"),
        (b"[", "Expecting value"),
        (b"[]", "one object"),
        (b'{"ticket_id": 1, "ticket_id": 2}', "same name twice"),
        (b'{"ticket_id": "\\u0000"}', "U+0000"),
        (b'{"ticket_id": "\\ud800"}', "surrogate"),
        (b'{"ticket_id": "\xff"}', "utf-8"),
        (b'{"ticket_id": NaN}', "NaN"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "recursion"),
        (b'{"ticket_id": [11]}', "must be a text"),
        (b'{"ticket_id": true}', "must be a text"),
        (b'{"ticket_id": 11}', "“ticket_status” is missing"),
        (b'{"freshdesk_webhook": "11"}', "“ticket_id” is missing"),
        (b'{"ticket_id": "' + b"1" * 41 + b'"}', "longer than 40"),
        (b'{"ticket_id": ' + b"1" * 5_000 + b"}", "digits"),
        (json.dumps(TICKET | {"ticket_updated_at": "yesterday"}).encode(), "not a time"),
        (json.dumps(TICKET | {"ticket_updated_at": "2026-02-30T00:00Z"}).encode(), "not a time"),
        (json.dumps(TICKET | {"ticket_updated_at": "2199-01-01T00:00Z"}).encode(), "in the future"),
        (json.dumps(TICKET | {"product": {"name": "App"}}).encode(), "must be a text"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_cannot_be_read_is_refused_and_says_why(trigger, customer, body, said):
    response = send(body)
    assert response.status_code == 400
    assert said.lower() in response.json()["error"]["message"].lower()
    assert not Event.objects.exists()


def test_a_body_over_a_megabyte_is_too_large(trigger, customer):
    assert send(json.dumps(TICKET).encode().ljust(1024 * 1024)).status_code == 200
    assert send(json.dumps(TICKET).encode().ljust(1024 * 1024 + 1)).status_code == 413


def test_a_replay_has_no_effect(trigger, customer, now):
    assert send(TICKET).json() == {"stored": 1, "known": 0, "ignored": 0}
    before = Event.objects.values().get()
    assert send(TICKET).json() == {"stored": 0, "known": 1, "ignored": 0}
    assert Event.objects.values().get() == before
    happen.ask_after_events(before["ask_at"])
    send(TICKET)
    happen.ask_after_events(before["ask_at"])
    assert Invitation.objects.count() == 1


def test_the_same_id_for_somebody_else_is_refused(trigger, customer):
    send(TICKET)
    other = send(TICKET | {"ticket_contact_email": "other@x.example"})
    assert other.status_code == 409
    assert "another customer" in other.json()["error"]["message"]
    assert Customer.objects.count() == 1  # the stranger was not stored for nothing


def test_a_customer_who_is_created_leaves_a_trace(trigger):
    send(TICKET | {"ticket_contact_email": "New@x.example"})
    entry = AuditEntry.objects.get()
    assert (entry.verb, entry.noun, entry.reason) == ("create", "customer", "freshdesk")
    assert entry.after == {"fields": ["email"]}


@pytest.mark.parametrize("email", ["", "no address", "a@b\r\nBcc: c@d.example", "x" * 250 + "@b.c"])
def test_nobody_is_created_without_an_address(trigger, email):
    assert send(TICKET | {"ticket_contact_email": email}).json()["ignored"] == 1
    assert not Customer.objects.exists()
    assert not Event.objects.exists()


def test_an_id_of_one_customer_with_the_address_of_another_means_the_address(trigger, customer):
    Customer.objects.create(external_id="C-9", email="second@x.example")
    send(TICKET | {"ticket_contact_unique_external_id": "C-9"})
    assert Event.objects.get().customer == customer
