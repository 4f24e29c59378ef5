from datetime import timedelta

import pytest
from django.db import IntegrityError

from surveys.loop import answer, ask, close, reach_out
from surveys.models import AuditEntry, Message, OutreachTask


@pytest.fixture
def task(nps, customer, now):
    invitation = ask.invite(nps, [customer], "event:1", now)[0]
    return answer.give(invitation, 2, "It never came.", now)[0].task


def contacted(task, by, now, outcome="spoke"):
    return reach_out.log_contact(task, by, "phone", outcome, "", now)


@pytest.mark.parametrize(
    ("outcome", "reached"),
    [
        ("spoke", True),
        ("met", True),
        ("replied", True),
        ("refused", True),
        ("left_message", False),
        ("no_answer", False),
        ("wrong_person", False),
        ("mail_sent", False),
    ],
)
def test_only_reaching_the_customer_is_a_contact(task, alice, now, outcome, reached):
    contacted(task, alice, now, outcome)
    task.refresh_from_db()
    assert task.first_contact_at == (now if reached else None)


def test_the_first_contact_stays_the_first(task, alice, now):
    for hours in (1, 2):
        contacted(task, alice, now + timedelta(hours=hours))
    task.refresh_from_db()
    assert task.first_contact_at == now + timedelta(hours=1)
    assert task.contacts.count() == 2


def test_closing_says_why_what_and_how_it_ended(task, alice, root_cause, now):
    contacted(task, alice, now)
    closed = close.close(task, alice, root_cause, "recovered", " Sent a new one. ", now)
    assert (closed.state, closed.root_cause, closed.outcome, closed.action, closed.closed_at) == (
        "closed",
        root_cause,
        "recovered",
        "Sent a new one.",
        now,
    )
    assert AuditEntry.objects.filter(verb="close", actor=alice, noun_id=task.pk).count() == 1


@pytest.mark.parametrize(
    ("has_cause", "outcome", "action"),
    [(False, "lost", "x"), (True, "", "x"), (True, "nonsense", "x"), (True, "lost", "  ")],
)
def test_closing_needs_all_three(task, alice, root_cause, now, has_cause, outcome, action):
    with pytest.raises(close.CannotClose, match="needs a root cause, an outcome and the action"):
        close.close(task, alice, root_cause if has_cause else None, outcome, action, now)


def test_the_database_refuses_to_close_without_them(task):
    with pytest.raises(IntegrityError, match="closed_task_has_cause_outcome_action"):
        OutreachTask.objects.filter(pk=task.pk).update(state="closed")


def test_the_database_refuses_to_move_a_deadline(task):
    with pytest.raises(IntegrityError, match="due_72_elapsed_hours_after_start"):
        OutreachTask.objects.filter(pk=task.pk).update(due_at=task.due_at + timedelta(seconds=1))


@pytest.mark.parametrize("outcome", ["recovered", "improved", "accepted"])
def test_nobody_looks_good_without_having_spoken(task, alice, root_cause, now, outcome):
    contacted(task, alice, now, "left_message")
    with pytest.raises(close.CannotClose, match="Nobody has reached this customer yet"):
        close.close(task, alice, root_cause, outcome, "Nothing.", now)


def test_no_reply_needs_three_attempts(task, alice, root_cause, now):
    for attempts in range(3):
        with pytest.raises(
            close.CannotClose, match=f"needs 3 logged attempts; there are {attempts}"
        ):
            close.close(task, alice, root_cause, "no_reply", "Called and wrote.", now)
        contacted(task, alice, now, "no_answer")
    closed = close.close(task, alice, root_cause, "no_reply", "Called and wrote.", now)
    assert closed.first_contact_at is None


def test_a_closed_task_takes_nothing_more_and_says_who_closed_it(
    task, alice, lead, root_cause, now
):
    close.close(task, alice, root_cause, "lost", "They have left.", now)
    with pytest.raises(reach_out.NotOpen, match=r"closed already\. Last change: close by Alice"):
        close.close(task, lead, root_cause, "lost", "Again.", now)
    with pytest.raises(reach_out.NotOpen):
        contacted(task, lead, now)
    with pytest.raises(reach_out.NotOpen):
        close.withdraw(task, lead, "Wrong.", now)


def test_a_form_that_was_overtaken_is_refused(task, alice, lead, root_cause, now):
    seen = task.version
    contacted(task, lead, now)
    with pytest.raises(reach_out.ChangedMeanwhile, match="contact by Lead"):
        close.close(task, alice, root_cause, "recovered", "Spoke.", now, version=seen)


def test_a_withdrawn_task_stays_with_its_reason(task, lead, now):
    with pytest.raises(close.CannotClose, match="Say why"):
        close.withdraw(task, lead, " ", now)
    withdrawn = close.withdraw(task, lead, "A test of our own.", now)
    assert (withdrawn.state, withdrawn.withdrawn_reason) == ("withdrawn", "A test of our own.")


def test_a_task_is_handed_over_and_the_new_owner_is_told(task, alice, bob, now):
    reach_out.assign(task, bob, alice, now)
    task.refresh_from_db()
    assert task.owner == bob
    assert Message.objects.filter(kind="task_opened", user=bob, task=task).count() == 1


def test_of_two_who_take_a_task_the_second_is_told(task, bob, lead, now):
    seen_by_both = OutreachTask.objects.get(pk=task.pk)
    reach_out.assign(task, bob, bob, now)
    with pytest.raises(reach_out.ChangedMeanwhile, match="belongs to Bob by now"):
        reach_out.assign(seen_by_both, lead, lead, now)


def test_overdue_is_a_query(task, alice, now):
    at_the_deadline = task.due_at
    assert not OutreachTask.objects.overdue(at_the_deadline).exists()
    after = at_the_deadline + timedelta(microseconds=1)
    assert OutreachTask.objects.overdue(after).get() == task
    contacted(task, alice, after)
    assert not OutreachTask.objects.overdue(after).exists()
