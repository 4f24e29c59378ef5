"""After a customer's no: 24 hours of its own, in which the steps of the escalation come again."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from surveys.delivery import needless
from surveys.delivery.digest import digest_of
from surveys.loop import answer, ask, close, confirm, escalate, foretell, reach_out
from surveys.models import (
    AuditEntry,
    ChatHook,
    ChatMessage,
    Confirmation,
    Customer,
    Escalation,
    EscalationPolicy,
    EscalationRecipient,
    Message,
    OutreachTask,
)

HOUR = timedelta(hours=1)
DAY = 24 * HOUR


@pytest.fixture
def policy(db, now):
    """The usual one."""
    policy = EscalationPolicy.objects.create(name="Usual")
    steps = [
        (36, "opened", ["owner"]),
        (48, "reached", ["owner", "lead"]),
        (72, "reached", ["head"]),
        (96, "reached", ["executive"]),
    ]
    for hours, waits_for, told in steps:
        to = {f"to_{one}": True for one in told}
        policy.steps.create(after_hours=hours, waits_for=waits_for, since=now - 900 * HOUR, **to)
    for tier, name in ((3, "Head"), (4, "Executive")):
        address = f"{name}@northwind.example"
        EscalationRecipient.objects.create(tier=tier, name=name, email=address)
    return policy


@pytest.fixture
def task(nps, customer, now):
    return answer.give(ask.invite(nps, [customer], "event:1", now)[0], 2, "Late.", now)[0].task


@pytest.fixture
def deny(task, alice, root_cause):
    """Somebody opens the task, speaks with the customer, closes it, and a day later the customer
    says no; returns when that was."""

    def deny(at, number=1):
        escalate.saw(fresh(task), alice, at)
        reach_out.log_contact(task, alice, "phone", "spoke", "", at)
        close.close(task, alice, root_cause, "recovered", "Sent a new one.", at)
        confirm.ask(at + DAY)
        confirm.answer(Confirmation.objects.get(number=number), "no", "", "Nobody.", at + DAY)
        return at + DAY

    return deny


@pytest.fixture
def denied_at(deny, now):
    return deny(now + HOUR)


def fresh(task) -> OutreachTask:
    return OutreachTask.objects.get(pk=task.pk)


def told(now) -> list[str]:
    """Whom a sweep at `now` mails."""
    mails = Message.objects.filter(kind="escalation")
    known = set(mails.values_list("pk", flat=True))
    escalate.escalate(now)
    return sorted(str(mail.user or mail.recipient) for mail in mails.exclude(pk__in=known))


def test_each_step_comes_again_in_a_third_of_its_hours_and_once(
    task, policy, denied_at, alice, lead
):
    said = {}
    for hours in (1, 8, 12, 14, 16, 20, 24, 28, 32):
        for moment in (hours * HOUR - timedelta(microseconds=1), hours * HOUR, hours * HOUR):
            if names := told(denied_at + moment):
                said[moment] = names
    assert said == {
        12 * HOUR: ["Alice"],
        16 * HOUR: ["Alice", "Lead"],
        24 * HOUR: ["Head"],
        32 * HOUR: ["Executive"],
    }
    assert fresh(task).level == 4
    reasons = AuditEntry.objects.filter(verb="escalate").order_by("pk")
    assert reasons[2].reason == (
        "24 hours after the customer’s no nobody has reached the customer: told Head."
    )


def test_it_goes_on_daily_until_somebody_acknowledges(task, policy, denied_at, alice, lead):
    told(denied_at + 32 * HOUR)
    hours = (55, 56, 57, 80)
    assert [told(denied_at + hour * HOUR) for hour in hours] == [
        [], ["Executive"], [], ["Executive"],
    ]  # fmt: skip
    escalate.acknowledge(fresh(task), lead, denied_at + 81 * HOUR)
    assert told(denied_at + 900 * HOUR) == []


def test_who_is_reached_again_ends_it(task, policy, denied_at, alice):
    assert told(denied_at + 12 * HOUR) == ["Alice"]
    mail = Message.objects.get(kind="escalation")
    assert needless.why_needless(mail, denied_at + 12 * HOUR) == ""
    reach_out.log_contact(task, alice, "phone", "spoke", "", denied_at + 13 * HOUR)
    assert told(denied_at + 900 * HOUR) == []
    mail = Message.objects.get(kind="escalation")
    assert needless.why_needless(mail, denied_at + 14 * HOUR) == "The customer has been reached."


def test_without_a_denial_the_second_clock_does_not_run(task, policy, alice, root_cause, now):
    """The control."""
    reach_out.log_contact(task, alice, "phone", "spoke", "", now + HOUR)
    assert told(now + 900 * HOUR) == []


def test_who_opens_the_task_anew_needs_no_reminder(task, policy, denied_at, alice, lead):
    escalate.saw(fresh(task), alice, denied_at + HOUR)
    assert told(denied_at + 12 * HOUR) == []
    assert told(denied_at + 16 * HOUR) == ["Alice", "Lead"]


def test_a_second_denial_starts_a_clock_of_its_own(task, policy, deny, denied_at, alice, lead):
    assert len(told(denied_at + 16 * HOUR)) == 3
    again = deny(denied_at + 17 * HOUR, number=2)
    assert told(again + 11 * HOUR) == []
    assert told(again + 16 * HOUR) == ["Alice", "Alice", "Lead"]
    began = Escalation.objects.order_by("pk").values_list("began_at", flat=True)
    assert list(began) == [denied_at] * 2 + [again] * 2


def test_both_clocks_run_for_whom_nobody_ever_reached(task, policy, alice, lead, root_cause, now):
    """Closed without a contact, at once; denied a day later: 72 hours are still promised."""
    EscalationPolicy.objects.update(repeats_daily=False)
    close.close(task, alice, root_cause, "lost", "They left.", now)
    confirm.ask(now + DAY)
    confirm.answer(Confirmation.objects.get(), "no", "", "", now + DAY)
    first = {36: ["Alice"], 48: ["Alice", "Lead"], 72: ["Head"], 96: ["Executive"]}
    second = {24 + 12: ["Alice"], 24 + 16: ["Alice", "Lead"], 48: ["Head"], 56: ["Executive"]}
    for hours in sorted(first.keys() | second.keys()):
        names = sorted([*first.get(hours, []), *second.get(hours, [])])
        assert told(now + hours * HOUR) == names


def test_the_key_says_once_whatever_the_code_does(task, policy, denied_at):
    row = {"task": task, "step": policy.steps.first(), "began_at": denied_at, "level": 1,
           "after_hours": 12, "waits_for": "opened", "at": denied_at}  # fmt: skip
    Escalation.objects.create(**row)
    with pytest.raises(IntegrityError, match="escalated_once"), transaction.atomic():
        Escalation.objects.create(**row)
    assert told(denied_at + 12 * HOUR) == []


def test_rooms_are_told(task, policy, denied_at):
    ChatHook.objects.create(name="#heads", url="https://chat.example/hook", from_level=3)
    told(denied_at + 24 * HOUR)
    assert ChatMessage.objects.get().escalation.level == 3


def test_the_rehearsal_shows_both_clocks(task, policy, denied_at, now):
    rows = foretell.foretell(policy, fresh(task), denied_at + 20 * HOUR)
    assert [(row.hours, row.after_denial, row.has_come, row.why_not) for row in rows] == [
        (36, False, True, "The customer had been reached."),
        (48, False, False, "The customer had been reached."),
        (72, False, False, "The customer had been reached."),
        (96, False, False, "The customer had been reached."),
        (12, True, True, ""),
        (16, True, True, ""),
        (24, True, False, ""),
        (32, True, False, ""),
    ]
    assert rows[4].at == denied_at + 12 * HOUR


def test_the_digest_names_it_until_they_are_reached_again(task, denied_at, alice):
    """The second deadline is tomorrow at 10; the first was met long ago."""
    assert not digest_of(alice, denied_at).exists()
    assert list(digest_of(alice, denied_at + 14 * HOUR)) == [task]  # after midnight
    assert list(digest_of(alice, denied_at + 30 * HOUR)) == [task]
    reach_out.log_contact(task, alice, "phone", "spoke", "", denied_at + 31 * HOUR)
    assert not digest_of(alice, denied_at + 31 * HOUR).exists()


@pytest.mark.parametrize("rows", [1, 3])
def test_looking_costs_the_same_for_any_number_of_them(
    rows, policy, nps, account, alice, root_cause, now, django_assert_num_queries
):
    for number in range(rows):
        customer = Customer.objects.create(account=account, email=f"c{number}@mills.example")
        invitation = ask.invite(nps, [customer], f"test:{number}", now)[0]
        task = answer.give(invitation, 2, "", now)[0].task
        reach_out.log_contact(task, alice, "phone", "spoke", "", now)
    times = {"denied_at": now, "second_due_at": now + DAY}
    OutreachTask.objects.update(**times)
    escalate.escalate(now + 33 * HOUR)
    assert Escalation.objects.filter(after_denial=True).count() == 4 * rows
    with django_assert_num_queries(12):
        assert escalate.escalate(now + 33 * HOUR) == 0
