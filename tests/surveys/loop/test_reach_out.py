"""What proves that somebody was reached, and when."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from surveys.loop import answer, ask, reach_out
from surveys.models import Account, AuditEntry, Contact, Customer

HOUR = timedelta(hours=1)


@pytest.fixture
def task(nps, customer, now):
    return task_of(nps, customer, now)


def task_of(survey, customer, now, occasion="event:1"):
    return answer.give(ask.invite(survey, [customer], occasion, now)[0], 2, "Late.", now)[0].task


@pytest.fixture
def colleagues_task(nps, account, now):
    """Of another customer of the same account."""
    other = Customer.objects.create(account=account, email="wim@lakeside.example")
    return task_of(nps, other, now)


def log(task, by, now, outcome="spoke", **more):
    return reach_out.log_contact(task, by, "phone", outcome, "", now, **more)


def fresh(task):
    task.refresh_from_db()
    return task


def test_a_claimed_time_is_kept_and_turns_no_miss_into_a_hit(task, alice, now):
    late = now + 73 * HOUR
    contact = log(task, alice, late, claimed_at=now + HOUR)
    assert (contact.claimed_at, contact.counts_from) == (now + HOUR, late)
    assert fresh(task).first_contact_at == late > task.due_at


def test_what_is_still_to_come_cannot_be_logged(task, alice, now):
    with pytest.raises(reach_out.CannotLog, match="still to come"):
        log(task, alice, now, claimed_at=now + HOUR)
    assert not task.contacts.exists()


def test_only_a_mail_proves_a_time(task, alice, now):
    contact = log(task, alice, now + HOUR, "no_answer")
    with pytest.raises(IntegrityError, match="only_mails_prove_a_time"), transaction.atomic():
        Contact.objects.filter(pk=contact.pk).update(proven_at=now)


def test_one_conversation_counts_for_each_task_of_the_account(task, colleagues_task, alice, now):
    contact = log(task, alice, now + HOUR, also=[colleagues_task])
    other = colleagues_task.contacts.get()
    assert contact.task == task
    assert contact.conversation == other.conversation is not None
    for one in (task, colleagues_task):
        assert fresh(one).first_contact_at == now + HOUR
    assert AuditEntry.objects.filter(verb="contact").count() == 2


def test_a_contact_of_one_task_belongs_to_no_conversation(task, alice, now):
    assert log(task, alice, now, also=[task]).conversation is None
    assert task.contacts.count() == 1


def test_two_accounts_are_two_conversations(task, nps, alice, now):
    elsewhere = Account.objects.create(name="Elsewhere")
    stranger = Customer.objects.create(account=elsewhere, email="z@elsewhere.example")
    other = task_of(nps, stranger, now)
    with pytest.raises(reach_out.CannotLog, match="tasks of one account"):
        log(task, alice, now, also=[other])
    assert not Contact.objects.exists()


def test_customers_without_an_account_have_nothing_in_common(nps, alice, now):
    people = [Customer.objects.create(email=f"{name}@post.example") for name in "xy"]
    one, other = (task_of(nps, each, now) for each in people)
    with pytest.raises(reach_out.CannotLog):
        log(one, alice, now, also=[other])


def test_an_earlier_contact_comes_first_even_if_it_was_kept_later(task, alice, now):
    """A reply that our server received before the call, and that was read after it."""
    log(task, alice, now + 2 * HOUR)
    reach_out.log(
        fresh(task),
        Contact(
            channel="email", outcome="replied", logged_at=now + 3 * HOUR, proven_at=now + HOUR,
            message_id="<a@b>",
        ),
    )  # fmt: skip
    assert fresh(task).first_contact_at == now + HOUR


def test_what_came_before_the_clock_began_proves_nothing(task, now):
    reach_out.log(
        task,
        Contact(
            channel="email", outcome="replied", logged_at=now + HOUR, proven_at=now - HOUR,
            message_id="<a@b>",
        ),
    )  # fmt: skip
    assert fresh(task).first_contact_at is None


def test_reaching_the_customer_wakes_the_task(task, alice, now):
    task.snoozed_until, task.snooze_reason = now + 9 * HOUR, "On holiday"
    task.save()
    log(task, alice, now, "no_answer")
    assert fresh(task).is_asleep(now)
    log(task, alice, now)
    assert not fresh(task).is_asleep(now)


def test_a_hand_over_says_why(task, alice, bob, now):
    reach_out.assign(task, bob, alice, now, "Speaks Dutch.")
    entry = AuditEntry.objects.get(verb="assign")
    assert (entry.reason, entry.before, entry.after) == (
        "Speaks Dutch.", {"owner": alice.pk}, {"owner": bob.pk},
    )  # fmt: skip
