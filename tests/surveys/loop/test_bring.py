"""Open tasks that come with a merge go to the owner of the account that stays, by choice."""

from datetime import timedelta

import pytest

from surveys.loop import answer, ask, close, merge, reach_out
from surveys.models import Absence, Account, AuditEntry, Customer, Message

HOUR = timedelta(hours=1)
WHY = "Same address."


@pytest.fixture
def twin(bob):
    return Account.objects.create(name="Lakeside Mills Ltd", owner=bob)


@pytest.fixture
def opened(nps, now):
    def open_one(customer):
        invitation = ask.invite(nps, [customer], f"test:{customer.email}", now - HOUR)[0]
        return answer.give(invitation, 2, "It never came.", now)[0].task

    return open_one


@pytest.fixture
def someone():
    """A customer of an account."""

    def of(account, name):
        return Customer.objects.create(account=account, email=f"{name}@lakeside.example")

    return of


def owner_of(task):
    task.refresh_from_db()
    return task.owner


def test_tasks_of_a_merged_account_follow_the_owner_of_the_one_that_stays(
    account, twin, opened, someone, alice, bob, lead, manager, now
):
    his, handed_over = opened(someone(twin, "a")), opened(someone(twin, "b"))
    reach_out.assign(handed_over, lead, bob, now)
    hers_handed_to_bob = opened(someone(account, "c"))
    reach_out.assign(hers_handed_to_bob, bob, alice, now)
    due_at = his.due_at
    merge.merge_accounts(account, [twin], manager, WHY, now)
    assert [owner_of(each) for each in (his, handed_over, hers_handed_to_bob)] == [alice, lead, bob]
    assert his.due_at == due_at
    told = Message.objects.filter(kind="task_opened", task=his).order_by("pk")
    assert [mail.user for mail in told] == [bob, alice]
    entry = AuditEntry.objects.filter(verb="assign", noun_id=his.pk).first()
    assert (entry.actor, entry.before, entry.after) == (
        manager, {"owner": bob.pk}, {"owner": alice.pk},
    )  # fmt: skip
    assert entry.reason.startswith("Came with a merge")


@pytest.mark.parametrize(("choice", "owner"), [({}, "Alice"), ({"move_tasks": False}, "Bob")])
def test_it_is_a_choice(account, twin, opened, someone, manager, now, choice, owner):
    task = opened(someone(twin, "a"))
    merge.merge_accounts(account, [twin], manager, WHY, now, **choice)
    assert str(owner_of(task)) == owner


def test_tasks_of_a_merged_customer_follow_the_owner_of_the_account_that_stays(
    customer, account, twin, opened, someone, alice, bob, manager, now
):
    other = someone(twin, "i.okafor")
    task, of_a_colleague = opened(other), opened(someone(twin, "z"))
    merge.merge_customers(customer, [other], manager, WHY, now)
    assert [owner_of(task), owner_of(of_a_colleague)] == [alice, bob]
    assert task.customer == customer


def test_what_is_over_stays_with_who_did_it(
    account, twin, opened, someone, bob, manager, root_cause, now
):
    task = opened(someone(twin, "a"))
    close.close(task, bob, root_cause, "lost", "They left.", now)
    merge.merge_accounts(account, [twin], manager, WHY, now)
    assert owner_of(task) == bob


def test_within_one_account_nobody_s_tasks_stay_nobody_s(
    customer, account, opened, someone, alice, manager, now
):
    other = someone(account, "i.okafor")
    task = opened(other)
    reach_out.assign(task, None, alice, now)
    merge.merge_customers(customer, [other], manager, WHY, now)
    assert owner_of(task) is None


def test_an_account_without_an_owner_takes_over_the_other_s(
    account, twin, opened, someone, bob, manager, now
):
    account.owner = None
    account.save()
    task = opened(someone(twin, "a"))
    merge.merge_accounts(account, [twin], manager, WHY, now)
    account.refresh_from_db()
    assert (account.owner, owner_of(task)) == (bob, bob)


@pytest.mark.parametrize("is_away", [False, True])
def test_the_preview_says_to_whom_they_go(
    account, twin, opened, someone, alice, bob, lead, manager, now, is_away
):
    task, handed_over = opened(someone(twin, "a")), opened(someone(twin, "b"))
    reach_out.assign(handed_over, lead, bob, now)
    if is_away:
        day = now.date()
        Absence.objects.create(user=alice, cover=manager, first_day=day, last_day=day)
    seen = merge.preview(account, [twin], now)
    assert (seen.brought.tasks, seen.brought.to) == ([task.pk], manager if is_away else alice)
    assert owner_of(task) == bob
    merge.merge_accounts(account, [twin], manager, WHY, now)
    assert owner_of(task) == seen.brought.to
