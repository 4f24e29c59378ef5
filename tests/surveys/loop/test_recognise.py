"""Which customer another system means."""

import threading

import pytest
from django.db import connection

from surveys.loop.recognise import Person, TwoCustomers, find, find_or_create
from surveys.models import AuditEntry, Customer

pytestmark = pytest.mark.django_db


@pytest.fixture
def ines(customer):
    customer.external_id = "C-1"
    customer.save()
    return customer


@pytest.mark.parametrize(
    "person",
    [
        Person(email="ines@lakeside.example"),
        Person(email="Ines@Lakeside.Example"),
        Person(external_id="C-1"),
        Person(email="ines@lakeside.example", external_id="C-1"),
        Person(email="ines@lakeside.example", external_id="C-2"),
        Person(email="new@lakeside.example", external_id="C-1", name="Somebody"),
    ],
    ids=str,
)
def test_a_customer_is_known_by_address_or_id(ines, person, now):
    assert find(person) == ines
    assert find_or_create(person, now) == (ines, False)
    ines.refresh_from_db()
    assert (ines.name, ines.email, ines.external_id) == (
        "Ines Okafor",
        "ines@lakeside.example",
        "C-1",
    )


@pytest.mark.parametrize(
    "person", [Person(), Person(email="c@x.example"), Person(external_id="c-1")], ids=str
)
def test_others_are_not(ines, person):
    assert find(person) is None


def test_ids_of_two_customers_are_refused(ines, now):
    Customer.objects.create(email="second@x.example")
    both = Person(email="second@x.example", external_id="C-1")
    with pytest.raises(TwoCustomers, match=r"second@x\.example and C-1 are two customers"):
        find(both)
    with pytest.raises(TwoCustomers):
        find_or_create(both, now)


def test_whom_nobody_knew_is_stored_with_a_trace(account, manager, now):
    person = Person("New@x.example", "C-9", "Noor Adeyemi", "de", account)
    customer, is_new = find_or_create(person, now, actor=manager, reason="help desk")
    stored = Customer.objects.get()
    assert (is_new, customer) == (True, stored)
    assert (stored.email, stored.external_id) == ("new@x.example", "C-9")
    assert (stored.name, stored.language, stored.account) == ("Noor Adeyemi", "de", account)
    assert stored.created_at == now
    entry = AuditEntry.objects.get()
    assert (entry.verb, entry.actor, entry.reason) == ("create", manager, "help desk")
    assert entry.after == {"fields": ["email", "external_id", "name"]}  # the names, no values


@pytest.mark.django_db(transaction=True)
def test_eight_at_once_store_one_customer(now):
    together, results = threading.Barrier(8), []

    def store():
        try:
            together.wait()
            results.append(find_or_create(Person("new@x.example", "C-9"), now)[1])
        finally:
            connection.close()

    threads = [threading.Thread(target=store) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [False] * 7 + [True]
    assert Customer.objects.count() == AuditEntry.objects.count() == 1
