"""Each key sees its colleague's rows: Charlie, of another team, finds nothing of Alice's."""

from datetime import timedelta

import pytest
from django.utils import timezone

from surveys.models import Absence, AuditEntry, Contact, Customer, Invitation, OutreachTask, Role
from tests.conftest import colleague
from tests.surveys.api.conftest import caller_for

pytestmark = pytest.mark.django_db

ROWS = ("accounts", "customers", "invitations", "responses", "tasks")


@pytest.fixture
def charlie(bob):
    return colleague("charlie", Role.ACCOUNT_MANAGER, bob.team)


@pytest.fixture
def addresses(task, account, customer):
    ids = dict(
        zip(
            ROWS,
            (account.pk, customer.pk, Invitation.objects.get().pk, task.response_id, task.pk),
            strict=True,
        )
    )
    return {noun: f"/api/v1/{noun}/{pk}/" for noun, pk in ids.items()}


def seen(caller, addresses) -> tuple[list[int], list[int]]:
    """How many rows of each noun are listed, and the status of reading the one."""
    listed = [len(caller.get(f"/api/v1/{noun}/").json()["results"]) for noun in ROWS]
    return listed, [caller.get(path).status_code for path in addresses.values()]


@pytest.mark.parametrize("role", ["alice", "lead", "manager", "auditor", "administrator"])
def test_those_concerned_see_the_rows(request, addresses, role):
    caller = caller_for(request.getfixturevalue(role))
    assert seen(caller, addresses) == ([1] * 5, [200] * 5)


@pytest.mark.parametrize("role", ["bob", "charlie"])
def test_others_see_none_of_them(request, addresses, role):
    caller = caller_for(request.getfixturevalue(role))
    assert seen(caller, addresses) == ([0] * 5, [404] * 5)


def test_a_cover_sees_them_while_it_covers(charlie, alice, addresses):
    today, day = timezone.now().date(), timedelta(days=1)
    absence = Absence.objects.create(
        user=alice, cover=charlie, first_day=today - day, last_day=today + day
    )
    assert seen(caller_for(charlie), addresses) == ([1] * 5, [200] * 5)
    absence.delete()
    assert seen(caller_for(charlie), addresses) == ([0] * 5, [404] * 5)


def test_filters_do_not_look_through_the_wall(charlie, addresses, nps):
    caller = caller_for(charlie)
    for query in (
        "tasks/?owner=alice@northwind.example",
        "customers/?search=okafor",
        "accounts/?search=lakeside",
        f"responses/?survey={nps.pk}",
        "invitations/?occasion=ticket:1",
    ):
        assert caller.get(f"/api/v1/{query}").json()["results"] == []


def test_charlie_can_work_on_none_of_them(charlie, task, root_cause):
    caller = caller_for(charlie)
    end = {"root_cause": "Late delivery", "outcome": "lost", "action": "Nothing."}
    call = {"channel": "phone", "outcome": "spoke"}
    entries = AuditEntry.objects.count()
    assert caller.post(f"/api/v1/tasks/{task.pk}/close/", end).status_code == 404
    assert caller.post(f"/api/v1/tasks/{task.pk}/contacts/", call).status_code == 404
    assert not Contact.objects.exists()
    assert OutreachTask.objects.get().state == "open"
    assert AuditEntry.objects.count() == entries


@pytest.mark.parametrize("role", ["alice", "auditor"])
def test_who_may_not_change_customers_changes_none(request, role, customer):
    caller = caller_for(request.getfixturevalue(role))
    response = caller.patch(f"/api/v1/customers/{customer.pk}/", {"name": "X"})
    assert response.status_code == 403
    assert Customer.objects.get().name == "Ines Okafor"


@pytest.mark.parametrize("noun", ROWS)
def test_three_rows_take_as_many_queries_as_one(
    alice, task, more_tasks, noun, django_assert_num_queries
):
    caller, path = caller_for(alice), f"/api/v1/{noun}/"
    caller.get(path)  # remembers the key's use
    queries = 3 if noun in ("tasks", "responses") else 2  # the key, the page; contacts, reasons

    def contact(number):
        for row in OutreachTask.objects.all():
            Contact.objects.create(
                task=row, user=alice, channel="phone", outcome="spoke", logged_at=row.started_at
            )
        with django_assert_num_queries(queries + (noun == "tasks")):  # and who made them
            assert len(caller.get(path).json()["results"]) == number

    with django_assert_num_queries(queries):
        assert len(caller.get(path).json()["results"]) == 1
    contact(1)
    more_tasks()
    contact(3)
