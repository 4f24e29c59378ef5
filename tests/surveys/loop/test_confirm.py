"""The customer's own word, and what follows from a no."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from surveys.delivery import send
from surveys.loop import answer, ask, close, confirm, reach_out
from surveys.loop.unsubscribe import unsubscribe
from surveys.models import (
    AuditEntry,
    Confirmation,
    Message,
    OutreachTask,
    Survey,
)
from tests.conftest import correct

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def task(nps, customer, now):
    return answer.give(ask.invite(nps, [customer], "event:1", now)[0], 2, "Late.", now)[0].task


@pytest.fixture
def closed(task, alice, root_cause, now):
    """An hour after the answer, with a conversation."""
    reach_out.log_contact(task, alice, "phone", "spoke", "", now + HOUR)
    return close.close(task, alice, root_cause, "recovered", "Sent a new one.", now + HOUR)


@pytest.fixture
def asked_at(now):
    return now + HOUR + DAY


@pytest.fixture
def question(closed, asked_at):
    confirm.ask(asked_at)
    return Confirmation.objects.get()


def fresh(task):
    return OutreachTask.objects.get(pk=task.pk)


def test_a_closing_is_asked_about_after_a_day_and_once(closed, asked_at):
    assert [confirm.ask(asked_at - HOUR), confirm.ask(asked_at), confirm.ask(asked_at)] == [0, 1, 0]
    question, mail = Confirmation.objects.get(), Message.objects.get(kind="confirmation")
    assert (question.task, question.number, question.claimed) == (closed, 1, True)
    assert (mail.dedupe_key, mail.confirmation, mail.invitation) == (
        f"confirm:{closed.pk}:1", question, closed.response.invitation,
    )  # fmt: skip


def test_how_long_to_wait_can_be_set(closed, now, settings):
    settings.CONFIRM_AFTER_HOURS = 2
    assert [confirm.ask(now + 2 * HOUR), confirm.ask(now + 3 * HOUR)] == [0, 1]


def test_what_was_closed_long_ago_is_left_in_peace(closed, asked_at):
    assert confirm.ask(asked_at + confirm.NEWS_FOR) == 0


def test_who_has_no_address_is_not_asked(closed, customer, asked_at):
    customer.email = None
    customer.save()
    assert confirm.ask(asked_at) == 0


def test_a_closing_without_a_conversation_claims_nothing(task, alice, root_cause, now):
    close.close(task, alice, root_cause, "lost", "They left.", now)
    confirm.ask(now + DAY)
    assert not Confirmation.objects.get().claimed


@pytest.mark.django_db
def test_the_database_asks_once_per_closing(question):
    with pytest.raises(IntegrityError, match="asked_once_per_closing"), transaction.atomic():
        Confirmation.objects.create(
            task=question.task, number=1, claimed=True, asked_at=question.asked_at
        )


@pytest.mark.parametrize(("got_back", "helped"), [("yes", "yes"), ("yes", "partly"), ("yes", "")])
def test_a_yes_is_kept_and_changes_nothing(question, asked_at, got_back, helped):
    said = confirm.answer(question, got_back, helped, "Thanks.", asked_at + HOUR)
    assert (said.got_back, said.helped, said.comment) == (got_back, helped, "Thanks.")
    assert (said.answered_at, said.is_denial) == (asked_at + HOUR, False)
    assert fresh(question.task).state == "closed"


@pytest.mark.parametrize(
    ("got_back", "helped", "kept"), [("no", "", ""), ("no", "yes", ""), ("yes", "no", "no")]
)
def test_a_no_opens_the_task_again_with_24_hours_of_its_own(
    question, closed, asked_at, got_back, helped, kept
):
    at = asked_at + 2 * HOUR
    assert confirm.answer(question, got_back, helped, "Nobody.", at).helped == kept
    task = fresh(closed)
    assert (task.state, task.denied_at, task.second_due_at) == ("open", at, at + DAY)
    assert (task.closed_at, task.outcome, task.second_contact_at) == (None, "", None)
    assert (task.due_at, task.first_contact_at) == (closed.due_at, closed.first_contact_at)
    assert task.level == 2


def test_owner_and_lead_are_told(question, alice, lead, asked_at):
    confirm.answer(question, "no", "", "Nobody.", asked_at)
    told = Message.objects.filter(kind="denied").order_by("user")
    assert {mail.user for mail in told} == {alice, lead}
    assert AuditEntry.objects.get(verb="deny").reason.endswith("nobody got back to them.")


def test_the_first_word_stands(question, asked_at):
    confirm.answer(question, "yes", "yes", "Fine.", asked_at)
    again = confirm.answer(question, "no", "", "Not at all.", asked_at + HOUR)
    assert (again.got_back, again.comment) == ("yes", "Fine.")
    assert fresh(question.task).state == "closed"


def test_a_late_word_is_too_late_after_30_days(question, asked_at):
    with pytest.raises(confirm.CannotConfirm):
        confirm.answer(question, "no", "", "", asked_at + 30 * DAY)
    assert Confirmation.objects.get().answered_at is None


def test_a_word_on_an_earlier_closing_is_kept_and_no_more(
    question, alice, root_cause, asked_at, nps
):
    task = question.task
    again = {"state": "open", "closed_at": None}
    OutreachTask.objects.filter(pk=task.pk).update(**again)
    close.close(task, alice, root_cause, "lost", "They left.", asked_at + HOUR)
    confirm.answer(question, "no", "", "", asked_at + 2 * HOUR)
    assert (fresh(task).state, Confirmation.objects.get().got_back) == ("closed", "no")


def test_after_a_denial_only_a_new_conversation_closes_the_task(
    question, closed, alice, root_cause, asked_at
):
    confirm.answer(question, "no", "", "", asked_at)
    with pytest.raises(close.CannotClose, match="Nobody has reached"):
        close.close(closed, alice, root_cause, "recovered", "Really.", asked_at + HOUR)
    with pytest.raises(close.CannotClose, match="there are 0"):
        close.close(closed, alice, root_cause, "no_reply", "Really.", asked_at + HOUR)
    reach_out.log_contact(closed, alice, "phone", "spoke", "", asked_at + 2 * HOUR)
    again = close.close(closed, alice, root_cause, "recovered", "Really.", asked_at + 3 * HOUR)
    assert (again.second_contact_at, again.closings) == (asked_at + 2 * HOUR, 2)
    assert again.first_contact_at == closed.first_contact_at
    confirm.ask(asked_at + 3 * HOUR + DAY)
    assert list(Confirmation.objects.values_list("number", flat=True)) == [1, 2]


def test_the_second_deadline_is_overdue_by_itself(question, asked_at):
    confirm.answer(question, "no", "", "", asked_at)
    at = asked_at + DAY + timedelta(seconds=1)
    overdue = OutreachTask.objects.overdue
    assert [overdue(asked_at + DAY).count(), overdue(at).count()] == [0, 1]
    assert [fresh(question.task).is_overdue(when) for when in (asked_at, at)] == [False, True]


def test_a_correction_withdraws_an_open_task_and_ends_its_sleep(task, now):
    OutreachTask.objects.update(snoozed_until=now + DAY, snooze_reason="On holiday")
    correct(task.response, 9, "On second thought", now + HOUR)
    assert (fresh(task).state, fresh(task).snoozed_until) == ("withdrawn", None)


@pytest.fixture
def waiting(closed, mail_server):
    """A question whose mail is due now."""
    confirm.ask(closed.closed_at + DAY)
    question = Confirmation.objects.get()
    Message.objects.exclude(kind="confirmation").delete()
    return question


@pytest.mark.django_db(transaction=True)
def test_the_mail_goes_out_whatever_became_of_the_survey(waiting, mail_server):
    Survey.objects.update(is_open=False, paused_reason="Too many bounces.")
    assert send.drain(timezone.now) == 1
    [(to, content)] = mail_server.kept
    assert to == "ines@lakeside.example"
    assert waiting.token.encode() in content.replace(b"=\r\n", b"")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("why", ["unsubscribed", "answered", "open again", "no address"])
def test_the_mail_is_not_sent_to(waiting, mail_server, why, customer, now):
    if why == "unsubscribed":
        unsubscribe(waiting.task.response.invitation, timezone.now(), everything=True)
    elif why == "answered":
        confirm.answer(waiting, "yes", "", "", waiting.asked_at)
    elif why == "open again":
        OutreachTask.objects.update(state="open")
    else:
        customer.email = None
        customer.save()
    assert send.drain(timezone.now) == 0
    assert (Message.objects.get().state, mail_server.kept) == ("cancelled", [])
