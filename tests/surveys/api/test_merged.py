"""What other systems send of a record that was merged into another."""

import pytest
from django.utils import timezone

from surveys.loop import merge
from surveys.models import Account, AuditEntry, Customer


@pytest.fixture
def merged(account, customer, manager):
    """Ines (A) stays; her other record (B) and Foothill's (2) lead to her and to Lakeside (1)."""
    now = timezone.now()
    Customer.objects.filter(pk=customer.pk).update(external_id="A")
    Account.objects.filter(pk=account.pk).update(external_id="1")
    other = Customer.objects.create(email="okafor@lakeside.example", external_id="B")
    twin = Account.objects.create(name="Lakeside Mills Ltd", external_id="2")
    merge.merge_customers(customer, [other], manager, "Same phone.", now)
    merge.merge_accounts(account, [twin], manager, "Same address.", now)
    customer.refresh_from_db()
    return customer


@pytest.mark.parametrize(
    "known_by",
    [
        {"external_id": "B"},
        {"email": "okafor@lakeside.example"},
        {"external_id": "B", "email": "Okafor@lakeside.example"},
        {"external_id": "B", "email": "ines@lakeside.example"},
    ],
)
def test_the_other_record_leads_to_the_one_that_stays_and_changes_nothing(writer, merged, known_by):
    entries = AuditEntry.objects.count()
    said = writer.post("/api/v1/customers/", {**known_by, "name": "I. Okafor"}, format="json")
    assert (said.status_code, said.json()["id"]) == (200, merged.pk)
    assert (said.json()["name"], said.json()["external_id"]) == ("Ines Okafor", "A")
    assert Customer.objects.count() == 2
    assert AuditEntry.objects.count() == entries


def test_its_own_record_speaks_for_the_one_that_stays(writer, merged):
    body = {"external_id": "A", "email": "okafor@lakeside.example", "name": "Ines O."}
    said = writer.post("/api/v1/customers/", body, format="json")
    assert said.status_code == 200
    merged.refresh_from_db()
    assert (merged.name, merged.email) == ("Ines O.", "ines@lakeside.example")


def test_two_people_stay_two(writer, merged):
    Customer.objects.create(email="jo@lakeside.example", external_id="C")
    body = {"external_id": "C", "email": "okafor@lakeside.example"}
    assert writer.post("/api/v1/customers/", body, format="json").status_code == 409


@pytest.mark.parametrize("known_by", [{"external_id": "2"}, {"name": "Lakeside Mills Ltd"}])
def test_the_other_account_leads_to_the_one_that_stays(writer, merged, account, known_by):
    body = {"external_id": "D", "email": "new@lakeside.example", "account": known_by}
    said = writer.post("/api/v1/customers/", body, format="json")
    assert said.status_code == 201
    assert Customer.objects.get(external_id="D").account == account


def test_the_other_account_sent_again_changes_nothing(writer, merged, account):
    body = {"external_id": "2", "name": "Lakeside Mills Ltd", "segment": "Retail"}
    said = writer.post("/api/v1/accounts/", body, format="json")
    assert (said.status_code, said.json()["id"]) == (200, account.pk)
    account.refresh_from_db()
    assert (account.name, account.segment) == ("Lakeside Mills", "Enterprise")


def test_what_was_merged_is_listed_no_more(writer, merged):
    customers = writer.get("/api/v1/customers/").json()["results"]
    accounts = writer.get("/api/v1/accounts/").json()["results"]
    assert ([c["external_id"] for c in customers], [a["external_id"] for a in accounts]) == (
        ["A"], ["1"],
    )  # fmt: skip
