"""Freshdesk: the simple content of an automation's webhook, and the secret that comes along."""

import pytest
from django.utils import timezone

from surveys.models import Customer, Event
from tests.surveys.triggers.conftest import SECRET, basic, tell

SIMPLE = {
    "ticket_id": 11,
    "ticket_status": "Resolved",
    "ticket_contact_email": "ines@lakeside.example",
    "ticket_contact_name": "Ines Okafor",
    "ticket_contact_unique_external_id": "",
    "ticket_subject": "It never came",
}


def send(headers=None, **more):
    envelope = {"freshdesk_webhook": SIMPLE | more}
    return tell("freshdesk", envelope, headers or {"X-Voc-Secret": SECRET})


@pytest.mark.parametrize(
    "headers", [{"X-Voc-Secret": SECRET}, basic(SECRET)], ids=["header", "basic"]
)
def test_a_resolved_ticket_becomes_an_event(trigger, customer, headers):
    assert send(headers).json() == {"stored": 1, "known": 0, "ignored": 0}
    event = Event.objects.get()
    assert (event.source, event.external_id) == ("freshdesk", "11:resolved")
    assert (event.happening, event.subject) == ("ticket.resolved", "ticket:11")
    assert (event.customer, event.outcome) == (customer, "waiting")


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Voc-Secret": "guessed"},
        {"X-Voc-Secret": ""},
        basic("guessed"),
        {"Authorization": "Basic %%%"},
        {"Authorization": "Basic /w=="},
        {"Authorization": f"Bearer {SECRET}"},
        {"Authorization": ""},
    ],
    ids=str,
)
def test_without_the_secret_nothing_is_taken(trigger, customer, headers):
    assert send(headers).status_code == 401
    assert not Event.objects.exists()


@pytest.mark.parametrize(
    ("status", "happening"),
    [
        ("4", "ticket.resolved"),
        (5, "ticket.closed"),
        ("Open", "ticket.reopened"),
        ("Waiting on Customer", "ticket.waiting_on_customer"),
    ],
)
def test_statuses_come_by_name_or_number(trigger, customer, status, happening):
    send(ticket_status=status)
    assert Event.objects.get().happening == happening


def test_the_advanced_content_may_hold_a_time_and_no_envelope(trigger):
    told = SIMPLE | {"ticket_updated_at": f"{timezone.now():%Y-%m-%dT%H:%M:%SZ}"}
    assert tell("freshdesk", told, {"X-Voc-Secret": SECRET}).status_code == 200
    event = Event.objects.get()
    assert event.external_id == f"11:resolved:{told['ticket_updated_at']}"
    assert Customer.objects.get().name == "Ines Okafor"
