import io
from datetime import date
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from surveys.imports import customers
from surveys.imports.rows import BROWSER, Unreadable
from surveys.models import Account, AuditEntry, Customer
from tests.conftest import NOW

pytestmark = pytest.mark.django_db

FILE = """\
e-mail,name,customer id,company,segment,region,owner e-mail,revenue,renewal date,language,time zone,key contact
ada@mill.example,Ada Quist,C-1,Mill & Sons,Enterprise,North,alice@northwind.example,"12,000.50",2026-09-01,en,Europe/London,yes
ben@mill.example,Ben Ode,C-2,Mill & Sons,,,,,,de,,no
cleo@bay.example,Cleo Faye,C-3,Bay Cafe,Small,South,,900,,fr,Europe/Paris,
,Dee Nomail,C-4,Bay Cafe,,,,,,,,
"""  # noqa: E501


def stream(text: str) -> io.BytesIO:
    return io.BytesIO(text.encode())


def bring_in(text: str, by=None) -> customers.Plan:
    plan = customers.plan(stream(text))
    assert list(plan.errors) == []
    return customers.apply(plan, by=by, now=NOW)


def problems(text: str) -> list[str]:
    return [str(error) for error in customers.plan(stream(text)).errors]


def everything():
    people = Customer.objects.order_by("external_id", "email")
    return list(people.values()), list(Account.objects.order_by("name").values())


def test_customers_and_accounts_come_in_whole(alice):
    done = bring_in(FILE)
    assert done.counts == {
        "created": 4, "updated": 0, "unchanged": 0, "accounts_created": 2, "accounts_updated": 0,
    }  # fmt: skip
    ada = Customer.objects.get(email="ada@mill.example")
    assert (ada.name, ada.external_id, ada.language) == ("Ada Quist", "C-1", "en")
    assert (ada.time_zone, ada.is_key_contact) == ("Europe/London", True)
    mill = ada.account
    assert (mill.name, mill.segment, mill.region, mill.owner) == (
        "Mill & Sons", "Enterprise", "North", alice,
    )  # fmt: skip
    assert (mill.revenue, mill.renews_on) == (Decimal("12000.50"), date(2026, 9, 1))
    assert Customer.objects.get(external_id="C-4").email is None
    assert mill.customers.count() == 2


def test_a_second_import_of_the_same_file_changes_nothing(alice):
    bring_in(FILE)
    before = everything()
    done = bring_in(FILE)
    assert done.changes_nothing
    assert done.unchanged == 4
    assert everything() == before
    assert AuditEntry.objects.filter(verb="import").count() == 1


def test_a_plan_writes_nothing(alice):
    plan = customers.plan(stream(FILE))
    assert (plan.created, plan.accounts_created) == (4, 2)
    assert everything() == ([], [])


def test_a_changed_row_changes_only_what_it_says(alice):
    bring_in(FILE)
    done = bring_in("e-mail,name,company,region\nben@mill.example,Ben Okri,,\n")
    assert (done.updated, done.unchanged, done.accounts_updated) == (1, 0, 0)
    ben = Customer.objects.get(external_id="C-2")
    assert (ben.name, ben.language, ben.account.name) == ("Ben Okri", "de", "Mill & Sons")


def test_accounts_can_change_where_customers_do_not(alice):
    bring_in(FILE)
    done = bring_in("customer id,company,revenue\nC-3,Bay Cafe,950\n")
    assert (done.updated, done.unchanged, done.accounts_updated) == (0, 1, 1)
    assert Account.objects.get(name="Bay Cafe").revenue == 950


def test_an_account_keeps_its_id_when_it_is_renamed():
    bring_in("email,company,company id\na@x.example,Old Name,A-1\n")
    done = bring_in("email,company,company id\na@x.example,New Name,A-1\n")
    assert (done.accounts_created, done.accounts_updated) == (0, 1)
    assert Account.objects.get().name == "New Name"


def test_a_customer_found_by_id_gets_a_new_address():
    bring_in("email,id\nold@x.example,C-1\n")
    assert bring_in("email,id\nnew@x.example,C-1\n").updated == 1
    assert Customer.objects.get().email == "new@x.example"


def test_a_customer_without_an_account_has_a_segment_of_their_own():
    bring_in("email,segment\na@x.example,Consumer\n")
    assert Customer.objects.get().segment == "Consumer"
    assert bring_in("email,segment\na@x.example,Consumer\n").changes_nothing


def test_an_import_is_written_down_once_with_who_did_it(manager):
    bring_in("email\na@x.example\n", by=manager)
    entry = AuditEntry.objects.get(verb="import")
    assert (entry.actor, entry.at, entry.after["created"]) == (manager, NOW, 1)


BAD = """\
email,name,company,owner,revenue,renewal date,time zone,key contact
good@x.example,Good,,,,,,
not an address,,,,,,,
good@x.example,Twice,,,,,,
b@x.example,,Mill,nobody@x.example,,,,
c@x.example,,Mill,,much,someday,Berlin,perhaps
,Nobody,,,,,,
d@x.example,,,,100,,,
"""


def test_each_problem_has_its_line_and_nothing_is_written(alice):
    assert problems(BAD) == [
        "Line 3, email: “not an address” is not an e-mail address.",
        "Line 4, email: “good@x.example” is in line 2 already.",
        "Line 5: No colleague here has the address nobody@x.example. Invite them first.",
        "Line 6, revenue: “much” is not an amount of money such as 1200.50.",
        "Line 6, renewal date: “someday” is not a date. Write it as 2026-12-31.",
        "Line 6, time zone: “Berlin” is not a time zone. Write a name such as Europe/Berlin.",
        "Line 6, key contact: “perhaps” is neither yes nor no.",
        "Line 7: Neither an e-mail address nor a customer id: nobody could be found again.",
        "Line 8: The revenue belongs to an account; name it.",
    ]
    with pytest.raises(customers.HasErrors, match="9 errors"):
        customers.apply(customers.plan(stream(BAD)), by=None, now=NOW)
    assert everything() == ([], [])


def test_rows_of_one_account_must_not_contradict_each_other():
    text = "email,company,region\na@x.example,Mill,North\nb@x.example,Mill,South\n"
    assert problems(text) == [
        "Line 3: The region of account “Mill” is “North” in line 2, and “South” here."
    ]


def test_ids_and_addresses_that_disagree_are_refused():
    bring_in("email,id\na@x.example,C-1\nb@x.example,C-2\n")
    assert problems("email,id\na@x.example,C-2\n") == [
        "Line 2: a@x.example belongs to another customer."
    ]
    assert problems("email,id\na@x.example,C-9\n") == [
        "Line 2: a@x.example belongs to the customer with the id “C-1”."
    ]


def test_a_colleague_who_has_left_owns_nothing(alice):
    alice.is_active = False
    alice.save()
    assert "Line 2: No colleague" in problems(FILE)[0]


def test_a_file_that_names_nobody_is_refused():
    with pytest.raises(Unreadable, match="No column holds an e-mail address"):
        customers.plan(stream("fax,colour\n1,red\n"))


def test_an_upload_is_limited():
    rows = "".join(f"c{n}@x.example\n" for n in range(100_001))
    with pytest.raises(Unreadable, match="more than 100,000 rows"):
        customers.plan(stream("email\n" + rows), BROWSER)


def test_what_changed_after_the_check_stops_the_import(alice):
    plan = customers.plan(stream(FILE))
    alice.is_active = False
    alice.save()
    with pytest.raises(customers.ChangedMeanwhile, match="No colleague"):
        customers.apply(plan, by=None, now=NOW)
    assert everything() == ([], [])


def test_an_import_in_batches_is_one_transaction(monkeypatch):
    monkeypatch.setattr(customers, "BATCH", 2)
    rows = "".join(f"c{n}@x.example,Company {n // 3}\n" for n in range(7))
    done = bring_in("email,company\n" + rows)
    assert (done.created, done.accounts_created) == (7, 3)
    assert bring_in("email,company\n" + rows).changes_nothing
    late = "email,company\nnew@x.example,Company 9\nz@x.example,\nc1@x.example,\nbroken,\n"
    plan = customers.plan(stream(late))
    plan.errors.shown.clear()
    plan.errors.count = 0  # as if the check had let it pass
    with pytest.raises(customers.ChangedMeanwhile):
        customers.apply(plan, by=None, now=NOW)
    assert Customer.objects.count() == 7


def queries_for(count: int) -> int:
    rows = "".join(f"q{count}-{n}@x.example,Company {count}-{n}\n" for n in range(count))
    plan = customers.plan(stream("email,company\n" + rows))
    with CaptureQueriesContext(
        connection,
    ) as queries:
        customers.apply(plan, by=None, now=NOW)
    return len(queries)


def test_the_number_of_queries_does_not_grow_with_the_rows():
    assert queries_for(1) == queries_for(3)


def write(tmp_path, text: str) -> str:
    path = tmp_path / "customers.csv"
    path.write_text(text, encoding="utf-8")
    return str(path)


def run(*arguments) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out, stderr=out)
    return out.getvalue()


def test_the_command_tells_what_it_did_and_what_it_did_not_use(alice, tmp_path):
    path = write(tmp_path, "email,company,fax\na@x.example,Mill,1\n")
    assert run("import_customers", path, "--dry-run").splitlines() == [
        "Customers: 1 new, 0 changed, 0 unchanged. Accounts: 1 new, 0 changed.",
        "Columns not used: fax.",
        "Only checked, nothing written (--dry-run).",
    ]
    assert Customer.objects.count() == 0
    assert run("import_customers", path).splitlines()[0].startswith("Customers: 1 new")
    assert run("import_customers", path).splitlines() == [
        "Customers: 0 new, 0 changed, 1 unchanged. Accounts: 0 new, 0 changed.",
        "Columns not used: fax.",
        "Everything was there already; nothing was changed.",
    ]


def test_the_command_fails_with_every_problem_and_imports_nothing(alice, tmp_path):
    out = StringIO()
    with pytest.raises(CommandError, match="Nothing was imported: 9 problems"):
        call_command("import_customers", write(tmp_path, BAD), stdout=out, stderr=out)
    assert len(out.getvalue().splitlines()) == 9
    assert Customer.objects.count() == 0


def test_the_command_names_a_file_that_is_not_there(tmp_path):
    with pytest.raises(CommandError, match="No such file"):
        call_command("import_customers", str(tmp_path / "missing.csv"))


def test_each_row_leaves_what_it_changed_without_names_and_addresses(manager, alice):
    Customer.objects.create(email="ines@lakeside.example", name="Ines", language="en")
    rows = "ines@lakeside.example,Ines Okafor,de,Lakeside\nnew@lakeside.example,New,fr,Lakeside\n"
    bring_in(f"email,name,language,account\n{rows}", manager)
    entries = AuditEntry.objects.exclude(verb="import").order_by("noun", "verb")
    account = Account.objects.get()
    assert [(e.verb, e.noun, e.before, e.after) for e in entries] == [
        ("create", "account", {}, {"name": "Lakeside"}),
        ("change", "customer",
         {"name": "(personal)", "language": "en", "account": None},
         {"name": "(personal)", "language": "de", "account": account.pk}),
        ("create", "customer", {},
         {"email": "(personal)", "name": "(personal)", "language": "fr", "is_key_contact": False,
          "account": account.pk}),
    ]  # fmt: skip
    assert {(entry.actor, entry.at) for entry in entries} == {(manager, NOW)}
