"""Feeding accounts and customers in, again and again."""

import threading

import pytest
from django.db import connection

from surveys.api.customers import Customers
from surveys.models import Account, AuditEntry, Customer
from tests.surveys.api.conftest import caller_for, said

pytestmark = pytest.mark.django_db

ACCOUNTS, CUSTOMERS = "/api/v1/accounts/", "/api/v1/customers/"


def test_a_customer_is_created_with_its_account(writer, account, manager):
    response = writer.post(
        CUSTOMERS,
        {
            "external_id": "C-1",
            "email": "Jo@Lakeside.Example",
            "name": "Jo Faber",
            "account": {"name": "Lakeside Mills"},
            "time_zone": "Europe/Berlin",
            "country": "de",
            "is_key_contact": True,
        },
    )
    assert response.status_code == 201, response.json()
    customer = Customer.objects.get()
    assert response.json() == {
        "id": customer.pk,
        "external_id": "C-1",
        "email": "jo@lakeside.example",
        "name": "Jo Faber",
        "phone": "",
        "account": {"id": account.pk, "external_id": None, "name": "Lakeside Mills"},
        "segment": "",
        "language": "",
        "time_zone": "Europe/Berlin",
        "country": "DE",
        "is_key_contact": True,
        "created_at": customer.created_at.isoformat().replace("+00:00", "Z"),
    }
    entry = AuditEntry.objects.get(noun="customer")
    assert (entry.verb, entry.actor, entry.noun_id) == ("create", manager, customer.pk)
    assert entry.reason.startswith("API key CRM sync (")
    assert "jo@" not in str(entry.after)  # what a customer is called must stay erasable


def test_sending_a_customer_again_changes_it(writer, account):
    first = {"external_id": "C-1", "email": "jo@lakeside.example", "name": "Jo", "phone": "1"}
    assert writer.post(CUSTOMERS, first).status_code == 201
    again = writer.post(CUSTOMERS, {"external_id": "C-1", "email": "jo@new.example"})
    assert again.status_code == 200
    customer = Customer.objects.get()
    assert (customer.email, customer.name, customer.phone) == ("jo@new.example", "Jo", "1")


def test_a_customer_known_by_address_gets_its_crm_id(writer, customer):
    response = writer.post(CUSTOMERS, {"external_id": "C-9", "email": "INES@lakeside.example"})
    assert (response.status_code, response.json()["id"]) == (200, customer.pk)
    customer.refresh_from_db()
    assert (customer.external_id, customer.name) == ("C-9", "Ines Okafor")


def test_ids_of_two_customers_are_a_conflict(writer):
    Customer.objects.create(external_id="C-1", email="one@x.example")
    Customer.objects.create(external_id="C-2", email="two@x.example")
    crossed = writer.post(CUSTOMERS, {"external_id": "C-1", "email": "two@x.example"})
    assert crossed.status_code == 409
    assert said(crossed)["message"] == "external_id and email belong to two different rows."
    taken = writer.post(CUSTOMERS, {"external_id": "C-3", "email": "two@x.example"})
    assert taken.status_code == 409
    assert said(taken)["message"] == "email belongs to a row with another external_id."


def test_a_customer_needs_something_to_be_found_by(writer):
    for body in ({"name": "Jo"}, {"name": "Jo", "email": None}, {"email": "", "external_id": ""}):
        response = writer.post(CUSTOMERS, body)
        assert response.status_code == 400
        assert "external_id or email" in said(response)["message"]
    assert not Customer.objects.exists()


def test_an_unknown_account_is_refused(writer, account):
    for given in ({"name": "Nobody Ltd"}, {"name": "Lakeside Mills", "external_id": "A-404"}):
        response = writer.post(CUSTOMERS, {"email": "jo@x.example", "account": given})
        assert response.status_code == 400
        [message] = said(response)["fields"]["account"]
        assert message.startswith("There is no account with")
    empty = writer.post(CUSTOMERS, {"email": "jo@x.example", "account": {}})
    assert "one of: id, external_id, name" in str(said(empty)["fields"]["account"])
    assert not Customer.objects.exists()


def test_what_was_read_names_the_same_account_when_sent_back(writer, customer, account):
    read = writer.get(f"{CUSTOMERS}{customer.pk}/").json()["account"]
    account.external_id = "A-1"
    account.save()
    body = {"account": {**read, "external_id": "A-1"}}
    assert writer.patch(f"{CUSTOMERS}{customer.pk}/", body).status_code == 200
    assert writer.patch(f"{CUSTOMERS}{customer.pk}/", {"account": None}).status_code == 200
    customer.refresh_from_db()
    assert customer.account is None


@pytest.mark.parametrize(
    ("given", "stored"), [("de", "de"), ("DE", "de"), ("pt_BR", "pt-br"), ("", "")]
)
def test_languages_are_written_one_way(writer, customer, given, stored):
    """Else no wording would be found for them."""
    response = writer.patch(f"{CUSTOMERS}{customer.pk}/", {"language": given})
    assert response.json()["language"] == stored


def test_changing_a_customer_changes_what_is_given(writer, customer):
    response = writer.patch(f"{CUSTOMERS}{customer.pk}", {"phone": "+49 30 1"})
    assert (response.status_code, response.json()["phone"]) == (200, "+49 30 1")
    customer.refresh_from_db()
    assert (customer.name, customer.phone) == ("Ines Okafor", "+49 30 1")
    entry = AuditEntry.objects.get(noun="customer")
    assert (entry.before, entry.after) == ({"phone": ""}, {"phone": "(personal)"})


def test_an_address_belongs_to_one_customer(writer, customer):
    other = Customer.objects.create(email="other@x.example")
    response = writer.patch(f"{CUSTOMERS}{other.pk}/", {"email": customer.email})
    assert response.status_code == 409
    other.refresh_from_db()
    assert other.email == "other@x.example"


def test_an_account_is_created_and_changed(writer, alice, bob):
    body = {"external_id": "A-1", "name": "Acme", "owner": alice.email, "revenue": "1200.50"}
    first = writer.post(ACCOUNTS, {**body, "renews_on": "2027-01-31", "segment": "Enterprise"})
    assert first.status_code == 201, first.json()
    account = Account.objects.get()
    assert first.json() == {
        "id": account.pk,
        "external_id": "A-1",
        "name": "Acme",
        "owner": alice.email,
        "segment": "Enterprise",
        "region": "",
        "revenue": "1200.50",
        "renews_on": "2027-01-31",
    }
    renamed = {"external_id": "A-1", "name": "Acme Group", "owner": bob.email}
    second = writer.post(ACCOUNTS, renamed)
    assert (second.status_code, second.json()["id"]) == (200, account.pk)
    account.refresh_from_db()
    assert (account.name, account.owner, account.segment) == ("Acme Group", bob, "Enterprise")


def test_an_account_is_not_given_to_somebody_unknown_or_gone(writer, bob):
    bob.is_active = False
    bob.save()
    for owner in (bob.email, "nobody@x.example"):
        response = writer.post(ACCOUNTS, {"name": "Acme", "owner": owner})
        assert set(said(response)["fields"]) == {"owner"}
    assert not Account.objects.exists()


def test_lists_are_searched_and_filtered(writer, customer):
    Customer.objects.create(name="Percy", email="100%_sure@x.example", is_key_contact=True)

    def found(query):
        return [row["name"] for row in writer.get(f"{CUSTOMERS}?{query}").json()["results"]]

    assert found("search=okafor+lakeside") == ["Ines Okafor"]
    assert found("search=okafor+elsewhere") == []
    assert found("search=%25_") == ["Percy"]
    assert found("search=%5C") == []
    assert found("is_key_contact=true") == ["Percy"]
    assert found("is_key_contact=false") == ["Ines Okafor"]


@pytest.mark.parametrize(("looks_in_vain", "status"), [(1, 200), (2, 409)])
def test_who_came_first_meanwhile_is_found_at_the_second_look(
    writer, customer, monkeypatch, looks_in_vain, status
):
    """As if the twin arrived after the look; the second case shows what the look is good for."""
    find, looks = Customers._find, []

    def too_early(view, given):
        looks.append(given)
        return None if len(looks) <= looks_in_vain else find(view, given)

    monkeypatch.setattr(Customers, "_find", too_early)
    response = writer.post(CUSTOMERS, {"email": customer.email, "phone": "1"})
    assert response.status_code == status
    assert Customer.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_same_customer_sent_twice_at_once_is_one(manager):
    caller = caller_for(manager)
    caller.get(CUSTOMERS)
    together, statuses = threading.Barrier(8), []

    def send():
        try:
            together.wait()
            body = {"external_id": "C-1", "email": "jo@lakeside.example"}
            statuses.append(caller_for_thread(caller).post(CUSTOMERS, body).status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] * 7 + [201]
    assert Customer.objects.count() == 1


def caller_for_thread(caller):
    twin = type(caller)("")
    twin.credentials(**caller._credentials)
    return twin


@pytest.mark.parametrize("given", ["Germany", "D", "ÄÖ"])
def test_a_country_is_two_letters(writer, customer, given):
    response = writer.patch(f"{CUSTOMERS}{customer.pk}/", {"country": given})
    assert response.status_code == 400
    assert "country" in response.json()["error"]["fields"]
