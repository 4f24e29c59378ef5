"""Rows of a file about records that were merged into others."""

import io

import pytest
from django.utils import timezone

from surveys.imports import customers
from surveys.imports.answers import People
from surveys.loop import merge
from surveys.models import Account, Customer

pytestmark = pytest.mark.django_db


@pytest.fixture
def merged(account, customer, manager):
    Customer.objects.filter(pk=customer.pk).update(external_id="A")
    other = Customer.objects.create(email="okafor@lakeside.example", external_id="B")
    twin = Account.objects.create(name="Lakeside Mills Ltd", external_id="2")
    now = timezone.now()
    merge.merge_customers(customer, [other], manager, "Same phone.", now)
    merge.merge_accounts(account, [twin], manager, "Same address.", now)
    customer.refresh_from_db()
    return customer


def bring(text: str) -> customers.Plan:
    plan = customers.plan(io.BytesIO(text.encode()))
    assert [str(error) for error in plan.errors] == []
    return customers.apply(plan, None, timezone.now())


def test_a_row_of_the_other_record_changes_nothing(merged):
    done = bring("id,email,name\nB,okafor@lakeside.example,I. Okafor\n")
    assert (done.created, done.updated, done.unchanged) == (0, 0, 1)
    merged.refresh_from_db()
    assert (merged.name, merged.external_id) == ("Ines Okafor", "A")


def test_both_records_in_one_file_are_one_customer(merged):
    rows = "A,ines@lakeside.example,Ines O.\nB,okafor@lakeside.example,I. Okafor\n"
    done = bring(f"id,email,name\n{rows}")
    assert (done.created, done.updated, done.unchanged) == (0, 1, 1)
    merged.refresh_from_db()
    assert merged.name == "Ines O."


def test_an_address_that_leads_here_stays_with_the_signpost(merged):
    bring("id,email,name\nA,okafor@lakeside.example,Ines O.\n")
    merged.refresh_from_db()
    assert (merged.name, merged.email) == ("Ines O.", "ines@lakeside.example")


def test_an_account_that_was_merged_is_the_one_that_stayed(merged, account):
    done = bring("email,account,segment\nnew@lakeside.example,Lakeside Mills Ltd,Retail\n")
    assert (done.created, done.accounts_created, done.accounts_updated) == (1, 0, 0)
    new = Customer.objects.get(email="new@lakeside.example")
    assert (new.account, new.account.segment) == (account, "Enterprise")


def test_answers_of_the_other_record_belong_to_the_one_that_stays(merged):
    people = People(["B", "okafor@lakeside.example"])
    assert people.find("B") == people.find("Okafor@lakeside.example") == merged
