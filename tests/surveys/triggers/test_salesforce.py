"""Salesforce: the fields of a case, by their API names."""

from datetime import timedelta

import pytest
from django.utils import timezone

from surveys.models import Customer, Event
from tests.surveys.triggers.conftest import SECRET, tell

CASE = {
    "Id": "5003000000D8cuIAAR",
    "Status": "Closed",
    "IsClosed": True,
    "ContactEmail": "ines@lakeside.example",
    "ContactId": "0033000000TuuKZAAZ",
    "SuppliedEmail": None,
    "Product": "Delivery",
}


def send(**more):
    at = {"ClosedDate": f"{timezone.now():%Y-%m-%dT%H:%M:%S.000+0000}"}
    return tell("salesforce", CASE | at | more, {"X-Voc-Secret": SECRET})


def test_a_closed_case_becomes_an_event(trigger):
    assert send().json() == {"stored": 1, "known": 0, "ignored": 0}
    event, customer = Event.objects.get(), Customer.objects.get()
    assert event.external_id.startswith("5003000000D8cuIAAR:closed:20")
    assert (event.happening, event.subject) == ("case.closed", "case:5003000000D8cuIAAR")
    assert (event.product, event.outcome) == ("Delivery", "waiting")
    assert (customer.email, customer.external_id) == (
        "ines@lakeside.example",
        "0033000000TuuKZAAZ",
    )
    assert timezone.now() - event.happened_at < timedelta(minutes=1)


@pytest.mark.parametrize("status", ["Reopened", "Re-Opened"])
def test_a_case_that_was_opened_again_is_not_asked_about(trigger, status):
    send()
    at = f"{timezone.now() + timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ}"
    send(Status=status, IsClosed=False, ClosedDate=None, LastModifiedDate=at)
    outcomes = Event.objects.values_list("happening", "outcome")
    assert set(outcomes) == {("case.closed", "superseded"), ("case.reopened", "no_trigger")}


def test_a_closed_case_is_closed_whatever_its_status_is_called(trigger):
    send(Status="Closed - Duplicate")
    assert Event.objects.get().happening == "case.closed"


def test_who_wrote_by_the_web_stands_in_for_a_contact(trigger):
    send(ContactEmail=None, ContactId=None, SuppliedEmail="web@x.example", SuppliedName="Web")
    assert Customer.objects.values_list("email", "name").get() == ("web@x.example", "Web")


def test_a_contact_without_an_address_is_found_by_the_crm_id(trigger, customer):
    Customer.objects.update(external_id=CASE["ContactId"])
    send(ContactEmail=None)
    assert Event.objects.get().customer == customer
