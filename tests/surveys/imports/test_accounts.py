"""A file gives an account to somebody else: its open tasks move along, or stay by choice."""

import io
from datetime import timedelta

import pytest
from django.core.management import call_command

from surveys.imports import customers
from surveys.loop import answer, ask

pytestmark = pytest.mark.django_db
FILE = "email,account,owner\nines@lakeside.example,Lakeside Mills,bob@northwind.example\n"


@pytest.fixture
def task(nps, customer, bob, now):
    invitation = ask.invite(nps, [customer], "test:1", now - timedelta(hours=1))[0]
    return answer.give(invitation, 2, "It never came.", now)[0].task


@pytest.mark.parametrize(("options", "owner"), [({}, "Bob"), ({"move_tasks": False}, "Alice")])
def test_open_tasks_move_with_an_account_by_choice(task, now, options, owner):
    plan = customers.plan(io.BytesIO(FILE.encode()))
    customers.apply(plan, None, now, **options)
    task.refresh_from_db()
    task.customer.account.refresh_from_db()
    assert (str(task.customer.account.owner), str(task.owner)) == ("Bob", owner)


@pytest.mark.parametrize(("options", "owner"), [([], "Bob"), (["--keep-open-tasks"], "Alice")])
def test_the_command_has_the_same_choice(task, tmp_path, options, owner):
    path = tmp_path / "customers.csv"
    path.write_text(FILE)
    call_command("import_customers", str(path), *options)
    task.refresh_from_db()
    assert str(task.owner) == owner


def test_a_file_that_says_the_same_moves_nothing(task, account, alice, now):
    same = FILE.replace("bob@", "alice@")
    version = task.version
    customers.apply(customers.plan(io.BytesIO(same.encode())), None, now)
    task.refresh_from_db()
    assert (task.owner, task.version) == (alice, version)
