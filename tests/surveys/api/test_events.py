"""Telling of events: once each, strictly, and by those who may ask."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from surveys.loop import happen
from surveys.models import AuditEntry, Customer, Event, Invitation, Trigger
from tests.surveys.api.conftest import caller_for, said

pytestmark = pytest.mark.django_db

EVENTS = "/api/v1/events/"


@pytest.fixture
def trigger(nps):
    return Trigger.objects.create(survey=nps, source="zendesk", happening="ticket.solved")


@pytest.fixture
def body():
    return {
        "source": "zendesk",
        "external_id": "4711-1",
        "happening": "ticket.solved",
        "subject": "ticket:4711",
        "customer": {"email": "Ines@Lakeside.Example"},
        "product": "Hotline",
        "happened_at": f"{timezone.now() - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}",
    }


def test_an_event_is_stored_with_its_time_to_ask(writer, trigger, customer, body):
    response = writer.post(EVENTS, body)
    assert response.status_code == 201, response.json()
    event = Event.objects.get()
    assert response.json() == {
        "id": event.pk,
        "source": "zendesk",
        "external_id": "4711-1",
        "happening": "ticket.solved",
        "subject": "ticket:4711",
        "customer": {
            "id": customer.pk,
            "external_id": None,
            "email": "ines@lakeside.example",
            "name": "Ines Okafor",
        },
        "product": "Hotline",
        "happened_at": body["happened_at"],
        "received_at": response.json()["received_at"],
        "ask_at": f"{event.happened_at + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}",
        "outcome": "waiting",
        "decided_at": None,
        "invitation": None,
    }
    assert writer.get(f"{EVENTS}{event.pk}").json() == response.json()


def test_told_again_it_gives_the_same_answer(writer, trigger, customer, body):
    first, again = writer.post(EVENTS, body), writer.post(EVENTS, body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    without_time = {name: value for name, value in body.items() if name != "happened_at"}
    assert writer.post(EVENTS, without_time).json() == first.json()
    assert Event.objects.count() == 1


def test_after_the_delay_the_answer_names_the_invitation(writer, trigger, customer, body):
    writer.post(EVENTS, body)
    happen.ask_after_events(timezone.now() + timedelta(days=1))
    invitation = Invitation.objects.get()
    again = writer.post(EVENTS, body)
    assert (again.status_code, again.json()["outcome"]) == (200, "decided")
    assert again.json()["invitation"] == invitation.pk


@pytest.mark.parametrize(
    "other",
    [
        {"happening": "ticket.closed"},
        {"product": ""},
        {"subject": "ticket:4712"},
        {"happened_at": "2026-03-10T09:00:00Z"},
        {"customer": {"email": "second@lakeside.example"}},
    ],
    ids=str,
)
def test_the_same_id_with_other_content_is_a_conflict(writer, trigger, customer, body, other):
    Customer.objects.create(email="second@lakeside.example")
    writer.post(EVENTS, body)
    before = Event.objects.values().get()
    response = writer.post(EVENTS, body | other)
    assert (response.status_code, said(response)["code"]) == (409, "conflict")
    assert next(iter(other)) in said(response)["message"]
    assert Event.objects.values().get() == before


def test_what_no_trigger_fits_is_kept_and_says_so(writer, customer, body):
    response = writer.post(EVENTS, body)
    assert (response.status_code, response.json()["outcome"]) == (201, "no_trigger")
    assert response.json()["ask_at"] is None


class TestTheCustomer:
    PERSON = {
        "email": "New@Mills.Example",
        "external_id": "C-9",
        "name": "Noor Adeyemi",
        "language": "PT_br",
        "account": {"name": "Lakeside Mills"},
    }

    def test_one_whom_nobody_knows_is_refused_unless_to_be_created(self, writer, body, account):
        body["customer"] = self.PERSON
        refused = writer.post(EVENTS, body)
        assert refused.status_code == 400
        assert set(said(refused)["fields"]) == {"customer"}
        assert not Customer.objects.exists()

        created = writer.post(EVENTS, body | {"create_customer": True})
        assert created.status_code == 201
        customer = Customer.objects.get()
        assert (customer.email, customer.external_id) == ("new@mills.example", "C-9")
        assert (customer.name, customer.language) == ("Noor Adeyemi", "pt-br")
        assert customer.account == account
        entry = AuditEntry.objects.get(noun="customer")
        assert (entry.verb, entry.noun_id) == ("create", customer.pk)
        assert entry.reason.startswith("API key CRM sync")

    def test_told_again_it_is_the_same_customer(self, writer, body, account):
        body |= {"customer": self.PERSON, "create_customer": True}
        assert [writer.post(EVENTS, body).status_code for _ in range(2)] == [201, 200]
        assert Customer.objects.count() == 1

    def test_what_is_known_stays_as_it_is(self, writer, body, customer):
        body |= {
            "customer": {"email": customer.email, "name": "Someone else"},
            "create_customer": True,
        }
        assert writer.post(EVENTS, body).status_code == 201
        assert Customer.objects.get().name == "Ines Okafor"

    def test_ids_of_two_customers_are_a_conflict(self, writer, body, customer):
        Customer.objects.create(external_id="C-9")
        body["customer"] = {"email": customer.email, "external_id": "C-9"}
        for create in (True, False):
            response = writer.post(EVENTS, body | {"create_customer": create})
            assert (response.status_code, said(response)["code"]) == (409, "conflict")
        assert not Event.objects.exists()

    def test_nothing_is_created_for_an_event_that_is_refused(self, writer, body, customer):
        writer.post(EVENTS, body)
        other = body | {"customer": {"email": "new@mills.example"}, "create_customer": True}
        assert writer.post(EVENTS, other).status_code == 409
        assert Customer.objects.count() == 1


HOSTILE = [
    ({"source": ""}, "source"),
    ({"source": "x" * 41}, "source"),
    ({"source": 7.5}, None),
    ({"source": None}, "source"),
    ({"source": ["zendesk"]}, "source"),
    ({"external_id": ""}, "external_id"),
    ({"external_id": "x" * 101}, "external_id"),
    ({"happening": "  "}, "happening"),
    ({"happening": {"a": 1}}, "happening"),
    ({"happening": "x" * 61}, "happening"),
    ({"subject": "x" * 101}, "subject"),
    ({"subject": None}, "subject"),
    ({"product": "x" * 81}, "product"),
    ({"product": None}, "product"),
    ({"customer": None}, "customer"),
    ({"customer": 7}, "customer"),
    ({"customer": {}}, "customer"),
    ({"customer": {"name": "Ines Okafor"}}, "customer"),
    ({"customer": {"email": "no address"}}, "customer"),
    ({"customer": {"email": "a@b.example\r\nBcc: c@d.example"}}, "customer"),
    ({"customer": {"email": ""}}, "customer"),
    ({"customer": {"email": "ines@lakeside.example", "owner": 1}}, "customer"),
    ({"customer": {"email": "ines@lakeside.example", "account": {"name": "?"}}}, "customer"),
    ({"create_customer": "perhaps"}, "create_customer"),
    ({"create_customer": None}, "create_customer"),
    ({"happened_at": "yesterday"}, "happened_at"),
    ({"happened_at": "0001-01-01T00:00:00Z"}, "happened_at"),
    ({"happened_at": "9999-12-31T23:59:59-14:00"}, "happened_at"),
    ({"happened_at": "2026-03-10T00:00:00+24:00"}, "happened_at"),
    ({"happened_at": "2199-01-01T00:00:00Z"}, "happened_at"),
    ({"happened_at": 20260310}, "happened_at"),
    ({"ask_at": "2026-03-10T09:00:00Z"}, "ask_at"),
    ({"outcome": "decided"}, "outcome"),
    ({"survey": 1}, "survey"),
    ({"id": 7}, "id"),
    ({"__class__": "x"}, "__class__"),
]


@pytest.mark.parametrize(("given", "field"), HOSTILE, ids=str)
def test_fields_that_do_not_fit_are_named(writer, trigger, customer, body, given, field):
    response = writer.post(EVENTS, body | given)
    if field is None:  # a number is a name, too
        assert (response.status_code, Event.objects.get().source) == (201, "7.5")
        return
    assert response.status_code == 400, response.json()
    assert set(said(response)["fields"]) == {field}
    assert not Event.objects.exists()


@pytest.mark.parametrize("missing", ["source", "external_id", "happening", "customer"])
def test_what_is_needed_is_named(writer, trigger, customer, body, missing):
    del body[missing]
    response = writer.post(EVENTS, body)
    assert (response.status_code, set(said(response)["fields"])) == (400, {missing})


@pytest.mark.parametrize("raw", [b'{"source": "a", "source": "b"}', b'{"source": "\\u0000"}', b"["])
def test_doubtful_json_is_refused(writer, trigger, raw):
    response = writer.raw("POST", EVENTS, raw)
    assert (response.status_code, said(response)["code"]) == (400, "parse_error")


def test_markup_and_templates_are_data(writer, trigger, customer, body):
    strange = '<script>{{7*7}}</script> ‮"=cmd"'
    response = writer.post(EVENTS, body | {"external_id": strange, "product": strange})
    assert json.loads(response.content)["product"] == strange
    assert writer.get(EVENTS, {"external_id": strange}).json()["results"] == [response.json()]


@pytest.mark.parametrize(
    ("role", "status"),
    [
        ("administrator", 201),
        ("manager", 201),
        ("alice", 403),
        ("lead", 403),
        ("auditor", 403),
        ("product", 403),
    ],
)
def test_who_may_ask_may_tell(request, trigger, customer, body, role, status):
    caller = caller_for(request.getfixturevalue(role))
    assert caller.post(EVENTS, body).status_code == status
    assert Event.objects.count() == (status == 201)


def test_a_key_that_may_only_read_only_reads(reader, writer, auditor, trigger, customer, body):
    assert reader.post(EVENTS, body).status_code == 403
    writer.post(EVENTS, body)
    assert len(reader.get(EVENTS).json()["results"]) == 1
    assert caller_for(auditor).get(EVENTS).status_code == 200


def test_events_are_not_changed_or_deleted(writer, trigger, customer, body):
    path = f"{EVENTS}{writer.post(EVENTS, body).json()['id']}/"
    for method in ("PATCH", "PUT", "DELETE"):
        assert writer.generic(method, path).status_code in (403, 405)
    assert Event.objects.count() == 1


def test_the_list_is_filtered(writer, trigger, customer, body):
    stored = writer.post(EVENTS, body).json()
    Customer.objects.update(external_id="C-1")
    for query, found in [
        ("source=zendesk", True),
        ("source=freshdesk", False),
        ("happening=ticket.solved", True),
        ("happening=ticket.closed", False),
        ("subject=ticket:4711", True),
        ("subject=ticket:1", False),
        ("product=Hotline", True),
        ("product=App", False),
        ("outcome=waiting", True),
        ("outcome=decided", False),
        ("customer=C-1", True),
        ("customer=C-2", False),
        (f"happened_from={stored['happened_at']}", True),
        (f"happened_before={stored['happened_at']}", False),
    ]:
        listed = writer.get(f"{EVENTS}?{query}").json()["results"]
        assert [row["id"] for row in listed] == ([stored["id"]] if found else []), query
    for query in ("outcome=lost", "sorce=zendesk", "happened_from=yesterday", "product=%00"):
        assert writer.get(f"{EVENTS}?{query}").status_code == 400, query


def test_three_events_take_as_many_queries_as_one(
    writer, trigger, customer, body, django_assert_num_queries
):
    writer.post(EVENTS, body)
    for number in (1, 3):
        while Event.objects.count() < number:
            writer.post(EVENTS, body | {"external_id": f"4711-{Event.objects.count() + 1}"})
        with django_assert_num_queries(2):  # the key, the page
            assert len(writer.get(EVENTS).json()["results"]) == number
