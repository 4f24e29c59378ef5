"""Reading the queue, and reporting what was done."""

from datetime import timedelta

import pytest
from django.utils import timezone

from surveys.loop import reach_out, snooze
from surveys.models import DEADLINE, Contact, OutreachTask
from tests.surveys.api.conftest import caller_for, said, unhappy

pytestmark = pytest.mark.django_db

TASKS = "/api/v1/tasks/"
HOURS_6 = timedelta(hours=6)


@pytest.fixture
def hers(alice):
    return caller_for(alice)


def test_a_task_is_read_whole(hers, task, account, customer, nps):
    assert hers.get(f"{TASKS}{task.pk}/").json() == {
        "id": task.pk,
        "cause": "detractor",
        "state": "open",
        "customer": {
            "id": customer.pk,
            "external_id": None,
            "email": "ines@lakeside.example",
            "name": "Ines Okafor",
        },
        "account": {"id": account.pk, "external_id": None, "name": "Lakeside Mills"},
        "owner": "alice@northwind.example",
        "response": {
            "id": task.response_id,
            "survey": nps.pk,
            "kind": "nps",
            "score": 2,
            "band": "detractor",
            "comment": "Two weeks late, and nobody told us.",
            "product": "Delivery",
            "wants_contact": False,
            "contact_channel": "",
            "contact_time": "",
            "answered_at": "2026-03-10T09:00:00Z",
        },
        "started_at": "2026-03-10T09:00:00Z",
        "due_at": "2026-03-13T09:00:00Z",
        "overdue": task.is_overdue(timezone.now()),
        "level": 0,
        "seen_at": None,
        "first_contact_at": None,
        "contacts": [],
        "snoozed_until": None,
        "snooze_reason": "",
        "closed_at": None,
        "root_cause": None,
        "outcome": "",
        "action": "",
        "denied_at": None,
        "second_due_at": None,
        "second_contact_at": None,
        "shift": None,
        "withdrawn_reason": "",
        "version": 1,
    }


def test_how_far_it_went_is_read_and_never_written(hers, alice, task):
    now = timezone.now()
    later = now + timedelta(hours=24)
    task = snooze.snooze(task, alice, later, "On holiday", now)
    OutreachTask.objects.update(
        level=3, seen_at=now, first_contact_at=now, denied_at=now, second_due_at=later
    )
    said = hers.get(f"{TASKS}{task.pk}/").json()
    at, then = (when.isoformat().replace("+00:00", "Z") for when in (now, later))
    assert said["level"] == 3
    assert (said["seen_at"], said["denied_at"]) == (at, at)
    assert (said["snoozed_until"], said["snooze_reason"]) == (then, "On holiday")
    assert (said["second_due_at"], said["overdue"]) == (then, False)
    body = {"channel": "phone", "outcome": "spoke", "level": 0, "second_due_at": at}
    refused = hers.post(f"{TASKS}{task.pk}/contacts/", body)
    assert refused.status_code == 400
    OutreachTask.objects.update(denied_at=now - timedelta(hours=30), second_due_at=now - HOURS_6)
    assert hers.get(f"{TASKS}{task.pk}/").json()["overdue"] is True
    assert [row["id"] for row in hers.get(f"{TASKS}?overdue=true").json()["results"]] == [task.pk]


def test_the_queue_is_filtered(hers, nps, customer, task):
    recent = unhappy(nps, customer, timezone.now() - timedelta(hours=1), "ticket:2")
    due = timezone.now() - timedelta(hours=8)
    OutreachTask.objects.filter(pk=task.pk).update(started_at=due - DEADLINE, due_at=due)

    def found(query):
        return [row["id"] for row in hers.get(f"{TASKS}?{query}").json()["results"]]

    assert found("") == [task.pk, recent.pk]  # the most urgent first
    assert found("overdue=true") == [task.pk]
    assert found("overdue=false") == [recent.pk]
    assert found("state=closed") == []
    assert found("state=open&product=Delivery") == [task.pk, recent.pk]
    assert found("product=Invoices") == []
    assert found("owner=Alice@northwind.example") == [task.pk, recent.pk]
    assert found("owner=nobody@northwind.example") == []


def test_a_contact_is_logged(hers, alice, task):
    before = timezone.now()
    body = {"channel": "phone", "outcome": "spoke", "note": "Will send a new parcel."}
    response = hers.post(f"{TASKS}{task.pk}/contacts/", body)
    assert response.status_code == 201, response.json()
    contact = Contact.objects.get()
    assert (contact.user, contact.note) == (alice, "Will send a new parcel.")
    assert response.json()["reached"] is True
    task.refresh_from_db()
    assert task.first_contact_at == contact.logged_at >= before
    assert hers.get(f"{TASKS}{task.pk}/").json()["contacts"] == [response.json()]


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"channel", "outcome"}),
        ({"channel": "pigeon", "outcome": "spoke"}, {"channel"}),
        ({"channel": "phone", "outcome": "spoke", "note": "x" * 2001}, {"note"}),
        ({"channel": "phone", "outcome": "spoke", "logged_at": "2026-01-01"}, {"logged_at"}),
        ({"channel": "phone", "outcome": "spoke", "user": "bob@northwind.example"}, {"user"}),
        ({"channel": ["phone"], "outcome": {"a": 1}}, {"channel", "outcome"}),
    ],
)  # fmt: skip
def test_a_contact_with_mistakes_is_refused(hers, task, body, fields):
    response = hers.post(f"{TASKS}{task.pk}/contacts/", body)
    assert response.status_code == 400
    assert set(said(response)["fields"]) == fields
    assert not Contact.objects.exists()


@pytest.fixture
def end():
    return {"root_cause": "Late delivery", "outcome": "recovered", "action": "Sent a new parcel."}


def test_a_task_is_closed(hers, alice, task, root_cause, end):
    reach_out.log_contact(task, alice, "phone", "spoke", "", timezone.now())
    response = hers.post(f"{TASKS}{task.pk}/close", {**end, "version": 2})
    assert response.status_code == 200, response.json()
    task.refresh_from_db()
    assert (task.state, task.root_cause, task.action) == ("closed", root_cause, end["action"])
    assert response.json() == hers.get(f"{TASKS}{task.pk}/").json()
    again = hers.post(f"{TASKS}{task.pk}/close", end)
    assert again.status_code == 409
    assert said(again)["message"].startswith("This task is closed already. Last change: close by")


def test_nobody_reached_is_nobody_recovered(hers, task, root_cause, end):
    response = hers.post(f"{TASKS}{task.pk}/close", end)
    assert response.status_code == 409
    assert said(response)["message"].startswith("Nobody has reached this customer yet.")


def test_an_outdated_version_is_refused(hers, alice, task, root_cause, end):
    reach_out.log_contact(task, alice, "phone", "spoke", "", timezone.now())
    response = hers.post(f"{TASKS}{task.pk}/close", {**end, "version": 1})
    assert (response.status_code, said(response)["code"]) == (409, "conflict")
    task.refresh_from_db()
    assert task.state == "open"


@pytest.mark.parametrize("missing", ["root_cause", "outcome", "action"])
def test_closing_needs_all_three(hers, task, root_cause, end, missing):
    response = hers.post(f"{TASKS}{task.pk}/close", {k: v for k, v in end.items() if k != missing})
    assert response.status_code == 400
    assert set(said(response)["fields"]) == {missing}
    blank = hers.post(f"{TASKS}{task.pk}/close", {**end, missing: "  "})
    assert set(said(blank)["fields"]) == {missing}


def test_root_causes_are_listed_while_they_are_offered(hers, root_cause):
    [row] = hers.get("/api/v1/root-causes/").json()["results"]
    assert row == {"id": root_cause.pk, "name": "Late delivery", "parent": None}
    root_cause.is_active = False
    root_cause.save()
    assert hers.get("/api/v1/root-causes/").json()["results"] == []


def test_the_owner_and_the_deadline_cannot_be_set(hers, task):
    response = hers.patch(f"{TASKS}{task.pk}/", {"owner": None, "due_at": "2030-01-01T00:00:00Z"})
    assert response.status_code == 405
