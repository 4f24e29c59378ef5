"""Merging duplicates in the admin: found, compared, and merged with a reason."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from surveys.loop import answer, ask, duplicates
from surveys.models import Account, AuditEntry, Customer

MERGE, DUPLICATES = "admin:surveys_customer_merge", "admin:surveys_customer_duplicates"
WHY = "Same signature under both mails."


@pytest.fixture
def other(customer):
    return Customer.objects.create(
        name="ines  okafor", email="i.okafor@lakeside.example", phone="030 901820"
    )


def merge(client, *rows, **more):
    data = {"id": [row.pk for row in rows], "keep": rows[0].pk, "reason": WHY, **more}
    return client.post(reverse(MERGE), data)


def test_the_page_compares_the_records_and_says_what_moves(
    signed_in, manager, customer, other, nps, now
):
    answer.give(ask.invite(nps, [other], "test:1", now)[0], 2, "Late.", now)
    page = signed_in(manager).get(reverse(MERGE), {"id": [customer.pk, other.pk]})
    assert page.status_code == 200
    said = {str(name): (wins, values) for name, wins, values in page.context["fields"]}
    assert said["phone"] == ("030 901820", ["–", "030 901820"])
    assert said["name"] == ("Ines Okafor", ["Ines Okafor", "ines  okafor"])
    assert page.context["moves"] == [("invitations", 1), ("outreach tasks", 1), ("responses", 1)]
    assert "This cannot be undone." in page.content.decode()
    assert Customer.objects.known().count() == 2


def test_another_one_can_be_chosen_to_stay(signed_in, manager, customer, other):
    asked = {"id": [customer.pk, other.pk], "keep": other.pk}
    page = signed_in(manager).get(reverse(MERGE), asked)
    assert page.context["kept"] == other
    assert [wins for name, wins, _ in page.context["fields"] if str(name) == "name"] == [
        "ines  okafor"
    ]


def test_merging_leads_to_the_one_that_stays(signed_in, manager, customer, other):
    said = merge(signed_in(manager), customer, other)
    assert said.url == reverse("admin:surveys_customer_change", args=[customer.pk])
    other.refresh_from_db()
    assert other.merged_into == customer
    assert AuditEntry.objects.get(noun_id=customer.pk, verb="merge").reason == WHY


@pytest.mark.parametrize(("choice", "owner"), [({"move_tasks": "on"}, "Alice"), ({}, "Bob")])
def test_open_tasks_go_to_the_owner_who_stays_unless_it_is_unticked(
    signed_in, manager, customer, other, bob, nps, now, choice, owner
):
    other.account = Account.objects.create(name="Lakeside Mills Ltd", owner=bob)
    other.save()
    task = answer.give(ask.invite(nps, [other], "test:1", now)[0], 2, "Late.", now)[0].task
    client = signed_in(manager)
    page = client.get(reverse(MERGE), {"id": [customer.pk, other.pk]})
    said = " ".join(page.content.decode().split())
    assert "1 open task goes to <b>Alice</b>, unless you choose otherwise below." in said
    assert page.context["form"]["move_tasks"].initial is True
    merge(client, customer, other, **choice)
    task.refresh_from_db()
    assert str(task.owner) == owner


def test_its_history_holds_that_of_the_other(signed_in, manager, customer, other, now):
    AuditEntry.record("change", other, now, actor=manager, after={"segment": "Retail"})
    client = signed_in(manager)
    merge(client, customer, other)
    page = client.get(reverse("admin:surveys_customer_history", args=[customer.pk]))
    assert [line.sentence for line in page.context["lines"]] == [
        "Manager merged the customer",
        "Manager merged the customer",
        "Manager changed the customer",
    ]


def test_without_a_reason_nothing_is_merged(signed_in, manager, customer, other):
    page = merge(signed_in(manager), customer, other, reason=" ")
    assert page.status_code == 200
    assert "Say how you know that they are one." in page.content.decode()
    assert Customer.objects.known().count() == 2


def test_what_was_merged_meanwhile_is_refused(signed_in, manager, customer, other):
    client = signed_in(manager)
    merge(client, customer, other)
    assert merge(client, customer, other).status_code == 404


@pytest.mark.parametrize("pks", [[], ["x"], ["1", "4711"], ["9" * 30]])
def test_what_is_not_there_is_not_found(signed_in, manager, customer, pks):
    client = signed_in(manager)
    for ask_for in (client.get, client.post):
        assert ask_for(reverse(MERGE), {"id": pks, "reason": WHY}).status_code == 404


def test_one_alone_is_refused(signed_in, manager, customer):
    said = signed_in(manager).get(reverse(MERGE), {"id": [customer.pk]})
    assert said.url == reverse("admin:surveys_customer_changelist")


@pytest.mark.parametrize("who", ["alice", "auditor", "lead", "product"])
def test_merging_takes_the_right_to_change_customers(request, signed_in, customer, other, who):
    client = signed_in(request.getfixturevalue(who))
    assert merge(client, customer, other).status_code == 403
    assert client.get(reverse(MERGE), {"id": [customer.pk, other.pk]}).status_code == 403
    assert client.get(reverse(DUPLICATES)).status_code == 403
    assert Customer.objects.known().count() == 2


def test_the_list_leads_to_the_comparison(signed_in, manager, customer, other):
    address = reverse("admin:surveys_customer_changelist")
    chosen = {"action": "merge_chosen", "_selected_action": [customer.pk, other.pk]}
    said = signed_in(manager).post(address, chosen)
    assert said.status_code == 302
    assert said.url.startswith(reverse(MERGE))
    assert {f"id={customer.pk}", f"id={other.pk}"} == set(said.url.split("?")[1].split("&"))


def test_likely_duplicates_are_listed_with_why(signed_in, manager, customer, other):
    page = signed_in(manager).get(reverse(DUPLICATES))
    [(why, rows, link)] = page.context["groups"]
    assert (why, rows) == ("Same name and e-mail domain", [customer, other])
    assert link.endswith(f"?id={customer.pk}&id={other.pk}")


def test_an_empty_list_says_what_to_do(signed_in, manager, customer):
    assert "No two records look alike" in signed_in(manager).get(reverse(DUPLICATES)).text


def found() -> list[tuple[str, list[str]]]:
    return [(one.why, [row.email for row in one.rows]) for one in duplicates.customers()]


def people(*rows: tuple[str, str, str]) -> None:
    for name, email, phone in rows:
        Customer.objects.create(name=name, email=email, phone=phone)


def test_one_phone_written_in_two_ways(db):
    people(("A", "a@x.example", "+49 30 901 820"), ("B", "b@y.example", "030/901820"))
    assert found() == [("Same phone number", ["a@x.example", "b@y.example"])]


def test_what_is_no_likely_duplicate(db):
    people(
        ("Ines", "a@x.example", "42"), ("Ines", "b@y.example", "42"),  # extensions of two firms
        ("", "c@x.example", ""), ("", "d@x.example", ""),
    )  # fmt: skip
    people(*((f"P{n}", f"p{n}@z.example", "030 1234567") for n in range(6)))  # a switchboard
    assert found() == []


def test_who_is_alike_in_two_ways_is_listed_once(db):
    people(("Ines", "a@x.example", "030 901820"), ("INES", "b@x.example", "+4930901820"))
    assert found() == [("Same name and e-mail domain", ["a@x.example", "b@x.example"])]


def test_the_list_is_bounded(db):
    people(*((f"P{n // 2}", f"p{n}@z.example", "") for n in range(10)))
    assert len(duplicates.customers(listed=3)) == 3


def test_names_in_other_scripts_stay_apart(db):
    people(("田中", "a@x.example", ""), ("鈴木", "b@x.example", ""), ("Ωμέγα", "c@x.example", ""))
    assert found() == []


def test_accounts_are_alike_but_for_punctuation(account, alice):
    twin = Account.objects.create(name="LAKESIDE-MILLS")
    Account.objects.create(name="Lakeside Mill")
    [alike] = duplicates.accounts()
    assert alike.rows == [account, twin]


def test_accounts_are_merged_the_same_way(signed_in, manager, account, customer):
    twin = Account.objects.create(name="LAKESIDE-MILLS")
    theirs = Customer.objects.create(account=twin)
    client, page = signed_in(manager), reverse("admin:surveys_account_merge")
    assert client.get(page, {"id": [account.pk, twin.pk]}).status_code == 200
    said = {"id": [account.pk, twin.pk], "keep": account.pk, "reason": WHY}
    assert client.post(page, said).status_code == 302
    theirs.refresh_from_db()
    assert theirs.account == account


@pytest.mark.parametrize(
    ("index", "list_them"),
    [("customers_alike", duplicates.customers), ("customers_of_one_phone", duplicates.customers),
     ("accounts_alike", duplicates.accounts)],
)  # fmt: skip
def test_each_list_reads_its_index(db, index, list_them):
    with CaptureQueriesContext(
        connection,
    ) as queries:
        list_them()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
        plans = []
        for query in queries:
            cursor.execute(f"EXPLAIN {query['sql']}")
            plans.append("\n".join(line for (line,) in cursor.fetchall()))
    assert any(f"using {index}" in plan for plan in plans), plans
