from datetime import timedelta

import pytest

from surveys.delivery.prepared import rows
from surveys.loop import answer, ask, own, reach_out
from surveys.models import Absence, Account, AuditEntry, Customer, Message, OutreachTask
from tests.conftest import colleague

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def opened(nps, now):
    """Opens a task of an account: a detractor's answer, now."""

    def open_one(account, name="ines", segment=""):
        customer = Customer.objects.create(
            account=account, email=f"{name}@lakeside.example", segment=segment
        )
        invitation = ask.invite(nps, [customer], f"test:{name}", now - HOUR)[0]
        return answer.give(invitation, 2, "It never came.", now)[0].task

    return open_one


@pytest.fixture
def nobodys(db):
    return Account.objects.create(name="Old Mill", segment="Retail")


@pytest.fixture
def dealing(team):
    team.takes_unowned = True
    team.save()
    return team


def away(user, cover, now, first=0, last=3):
    today = now.date()
    return Absence.objects.create(
        user=user, cover=cover, first_day=today + first * DAY, last_day=today + last * DAY
    )


def owner_of(task):
    task.refresh_from_db()
    return task.owner


def mails_about(task):
    told = Message.objects.filter(kind="task_opened", task=task).order_by("pk")
    return [message.user for message in told]


def test_the_account_s_owner_gets_its_tasks(opened, account, alice, now):
    task = opened(account)
    assert own.settle(now) == 0
    assert owner_of(task) == alice
    assert mails_about(task) == [alice]


def first_owner(account, now) -> int | None:
    """Who would get a new task."""
    asked = "SELECT first_owner.id FROM surveys_account account"
    asked += f" {own.JOIN_FIRST_OWNER} WHERE account.id = %(account)s"
    return rows(asked, {"account": account.pk, "now": now})[0][0]


def test_while_the_owner_is_away_the_cover_gets_them(account, alice, bob, now):
    assert first_owner(account, now) == alice.pk
    away(alice, bob, now)
    assert first_owner(account, now) == bob.pk
    assert first_owner(account, now + 4 * DAY) == alice.pk
    away(bob, alice, now)
    assert first_owner(account, now) is None  # for the sweep to see through
    assert own.Rota(now).standing_in(alice.pk) == alice


def test_who_covers_the_cover_stands_in(account, alice, bob, lead, now):
    away(alice, bob, now)
    away(bob, lead, now)
    assert own.Rota(now).standing_in(alice.pk) == lead
    lead.is_active = False
    lead.save()
    assert own.Rota(now).standing_in(alice.pk) == alice


def test_what_is_nobody_s_is_dealt_to_whoever_has_the_fewest_open(
    opened, nobodys, account, dealing, alice, now
):
    carol = colleague("carol", "account_manager", dealing)
    opened(account, "mine")  # Alice has one already
    tasks = [opened(nobodys, f"c{number}") for number in range(4)]
    assert own.settle(now) == 4
    assert [owner_of(task) for task in tasks] == [carol, alice, carol, alice]
    assert own.settle(now) == 0
    assert [mails_about(task) for task in tasks] == [[carol], [alice], [carol], [alice]]
    entry = AuditEntry.objects.filter(verb="assign", noun_id=tasks[0].pk).get()
    assert (entry.actor, entry.after) == (None, {"owner": carol.pk})
    assert entry.reason == "Fewest open tasks of the team."


def test_nothing_is_dealt_to_whoever_is_away(opened, nobodys, dealing, alice, bob, now):
    away(alice, bob, now)
    task = opened(nobodys)
    assert own.settle(now) == 0
    assert owner_of(task) is None
    assert own.settle(now + 4 * DAY) == 1
    assert owner_of(task) == alice


def test_leads_are_dealt_to_where_nobody_else_is(opened, nobodys, dealing, lead, now):
    task = opened(nobodys)
    own.settle(now)
    assert owner_of(task) == lead


def test_a_team_that_names_the_segment_comes_before_one_that_names_none(
    opened, nobodys, dealing, alice, bob, now
):
    bob.team.takes_unowned, bob.team.segments = True, ["Retail"]
    bob.team.save()
    retail, other = opened(nobodys, "r"), opened(None, "o", segment="Other")
    assert own.settle(now) == 2
    assert [owner_of(retail), owner_of(other)] == [bob, alice]


def test_without_a_team_it_stays_unassigned_where_managers_see_it(
    opened, nobodys, alice, manager, now
):
    task = opened(nobodys)
    assert own.settle(now) == 0
    assert owner_of(task) is None
    assert OutreachTask.objects.visible_to(manager).get() == task
    assert mails_about(task) == []


def test_what_a_person_left_to_nobody_stays_so(opened, account, alice, lead, now):
    task = opened(account)
    reach_out.assign(task, None, lead, now)
    assert own.settle(now) == 0
    assert owner_of(task) is None


def test_the_tasks_of_who_leaves_go_to_the_cover_to_the_team_or_to_nobody(
    opened, account, nobodys, dealing, alice, bob, manager, now
):
    task = opened(account)
    alice.is_active = False
    alice.save()
    assert own.leave(alice, manager, now) == 1
    assert owner_of(task) is None
    entry = AuditEntry.objects.filter(verb="assign", noun_id=task.pk).first()
    assert (entry.actor, entry.reason) == (manager, "Alice has left.")
    carol = colleague("carol", "account_manager", dealing)
    assert own.settle(now) == 1
    assert owner_of(task) == carol
    carol.is_active = False
    carol.save()
    away(carol, bob, now)
    assert own.settle(now) == 1  # without a call: the sweep finds them
    assert owner_of(task) == bob


def test_open_tasks_follow_the_account_to_its_new_owner(opened, account, alice, bob, lead, now):
    hers, handed_over = opened(account, "a"), opened(account, "b")
    reach_out.assign(handed_over, lead, alice, now)
    account.owner = bob
    account.save()
    assert own.follow(account, alice.pk, now, bob) == 1
    assert [owner_of(hers), owner_of(handed_over)] == [bob, lead]
    assert mails_about(hers) == [alice, bob]
    entry = AuditEntry.objects.filter(verb="assign", noun_id=hers.pk).first()
    assert entry.reason == "Lakeside Mills has a new owner."


def test_they_follow_to_the_cover_of_a_new_owner_who_is_away(
    opened, account, alice, bob, lead, now
):
    task = opened(account)
    away(bob, lead, now)
    account.owner = bob
    account.save()
    own.follow(account, alice.pk, now)
    assert owner_of(task) == lead


def test_a_mail_that_had_become_needless_goes_out_when_the_task_comes_back(
    opened, account, alice, bob, now
):
    task = opened(account)
    Message.objects.filter(task=task, user=alice).update(state="cancelled")
    for before, after in ((alice, bob), (bob, alice)):
        account.owner = after
        own.follow(account, before.pk, now)
    mails = Message.objects.filter(kind="task_opened", task=task)
    assert dict(mails.values_list("user__name", "state")) == {"Alice": "queued", "Bob": "queued"}


@pytest.mark.parametrize("rows", [1, 3])
def test_looking_for_what_is_nobody_s_costs_the_same_for_any_number(
    opened, account, rows, now, django_assert_num_queries
):
    for number in range(rows):
        opened(account, f"c{number}")
    with django_assert_num_queries(9):
        own.settle(now)
