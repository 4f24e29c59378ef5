"""Up the chain on the clock: 36, 48, 72 and 96 elapsed hours after the answer, then daily."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, transaction

from surveys.loop import answer, ask, escalate, reach_out
from surveys.models import (
    Absence,
    AuditEntry,
    ChatHook,
    ChatMessage,
    Customer,
    Escalation,
    EscalationPolicy,
    EscalationRecipient,
    EscalationStep,
    Message,
    OutreachTask,
)

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
OPENED, REACHED = EscalationStep.Waits.OPENED, EscalationStep.Waits.REACHED


def policy_of(now, *steps, **scope):
    """A policy made long ago. Each step: hours, what it waits for, and whom it tells."""
    policy = EscalationPolicy.objects.create(name=f"Policy {scope}", **scope)
    for hours, waits_for, *told in steps:
        EscalationStep.objects.create(
            policy=policy,
            after_hours=hours,
            waits_for=waits_for,
            since=now - 900 * HOUR,
            **{f"to_{one}": True for one in told},
        )
    return policy


@pytest.fixture
def policy(db, now):
    return policy_of(
        now,
        (36, OPENED, "owner"),
        (48, REACHED, "owner", "lead"),
        (72, REACHED, "head"),
        (96, REACHED, "executive"),
    )


@pytest.fixture
def head(db):
    return named("Hedda Head", 3)


@pytest.fixture
def executive(db):
    return named("Exa Ecutive", 4)


def named(name, tier, **scope):
    email = f"{name.split()[0].lower()}@northwind.example"
    return EscalationRecipient.objects.create(name=name, tier=tier, email=email, **scope)


@pytest.fixture
def opened(nps, account, now):
    """Opens a task: a detractor's answer, at `at`."""

    def open_one(name="ines", at=now, to=account):
        customer = Customer.objects.create(account=to, email=f"{name}@lakeside.example")
        invitation = ask.invite(nps, [customer], f"test:{name}", at - HOUR)[0]
        return answer.give(invitation, 2, "It never came.", at)[0].task

    return open_one


@pytest.fixture
def task(opened):
    return opened()


def told(task, kind="escalation"):
    mails = Message.objects.filter(kind=kind, task=task).order_by("pk")
    return [str(mail.user or mail.recipient) for mail in mails]


def new_mails(task, now) -> list[str]:
    before = len(told(task))
    escalate.escalate(now)
    return sorted(told(task)[before:])


def test_each_step_tells_its_tiers_once_and_not_before_its_hour(
    task, policy, alice, lead, head, executive, now
):
    said = {}
    for hours in (30, 35, 36, 40, 48, 60, 72, 80, 96, 99):
        for moment in (hours * HOUR - timedelta(microseconds=1), hours * HOUR, hours * HOUR):
            if names := new_mails(task, now + moment):
                said[moment] = names
    assert said == {
        36 * HOUR: ["Alice"],
        48 * HOUR: ["Alice", "Lead"],
        72 * HOUR: ["Hedda Head"],
        96 * HOUR: ["Exa Ecutive"],
    }
    task.refresh_from_db()
    assert task.level == 4
    assert task.due_at == now + 72 * HOUR
    entries = AuditEntry.objects.filter(verb="escalate", noun_id=task.pk).order_by("pk")
    assert [(entry.actor, entry.after["level"]) for entry in entries] == [
        (None, 1), (None, 2), (None, 3), (None, 4),
    ]  # fmt: skip
    assert entries[1].reason == (
        "48 hours after the answer nobody has reached the customer: told Alice, Lead."
    )


def test_a_task_that_somebody_opened_needs_no_reminder(task, policy, alice, auditor, now):
    escalate.saw(task, auditor, now)
    task.refresh_from_db()
    assert task.seen_at is None  # who may only read does not count
    escalate.saw(task, alice, now + HOUR)
    task.refresh_from_db()
    escalate.saw(task, alice, now + 2 * HOUR)
    task.refresh_from_db()
    assert task.seen_at == now + HOUR
    assert new_mails(task, now + 40 * HOUR) == []


def test_a_customer_who_was_reached_is_not_escalated(task, policy, alice, lead, now):
    reach_out.log_contact(task, alice, "phone", "left_message", "", now + HOUR)
    assert new_mails(task, now + 48 * HOUR) == ["Alice", "Alice", "Lead"]
    reach_out.log_contact(task, alice, "phone", "spoke", "", now + 50 * HOUR)
    assert new_mails(task, now + 500 * HOUR) == []


def test_after_hours_of_downtime_every_step_is_told_once(
    task, policy, alice, lead, head, executive, now
):
    assert new_mails(task, now + 75 * HOUR) == ["Alice", "Alice", "Hedda Head", "Lead"]
    assert new_mails(task, now + 75 * HOUR) == []


def test_it_goes_on_daily_until_somebody_acknowledges(
    task, policy, alice, lead, head, executive, now
):
    escalate.escalate(now + 96 * HOUR)
    said = [len(new_mails(task, now + hours * HOUR)) for hours in (119, 120, 121, 143, 144)]
    assert said == [0, 1, 0, 0, 1]
    assert told(task)[-2:] == ["Exa Ecutive", "Exa Ecutive"]
    assert escalate.acknowledge(task, executive, now + 145 * HOUR)
    assert not escalate.acknowledge(task, alice, now + 146 * HOUR)
    assert new_mails(task, now + 900 * HOUR) == []
    assert set(Escalation.objects.values_list("acknowledged_by", flat=True)) == {"Exa Ecutive"}
    entry = AuditEntry.objects.get(verb="acknowledge")
    assert (entry.actor, entry.noun_id) == (None, task.pk)


def test_of_the_days_that_a_clock_was_down_only_the_latest_is_told(
    task, policy, alice, lead, head, executive, now
):
    escalate.escalate(now + 96 * HOUR)
    assert new_mails(task, now + 96 * HOUR + 100 * HOUR) == ["Exa Ecutive"]
    assert list(Escalation.objects.filter(day__gt=0).values_list("day", flat=True)) == [4]


def test_acknowledging_early_does_not_stop_the_later_steps(
    task, policy, alice, lead, head, executive, now
):
    escalate.escalate(now + 48 * HOUR)
    escalate.acknowledge(task, lead, now + 49 * HOUR)
    assert new_mails(task, now + 72 * HOUR) == ["Hedda Head"]


def test_a_policy_may_end_with_its_last_step(task, policy, lead, head, executive, now):
    policy.repeats_daily = False
    policy.save()
    escalate.escalate(now + 96 * HOUR)
    assert new_mails(task, now + 500 * HOUR) == []


def test_there_is_nothing_to_acknowledge_before_it_was_escalated(task, policy, alice, now):
    with pytest.raises(escalate.NothingToAcknowledge):
        escalate.acknowledge(task, alice, now)


def test_hours_are_elapsed_hours_when_the_clocks_change(opened, policy, alice, lead, now):
    """In Berlin the night of 29 March 2026 has 23 hours, that of 25 October 25."""
    berlin = ZoneInfo("Europe/Berlin")
    EscalationStep.objects.update(since=datetime(2026, 1, 1, tzinfo=UTC))
    for number, day in enumerate([(2026, 3, 28), (2026, 10, 24)]):
        answered = datetime(*day, 12, tzinfo=berlin).astimezone(UTC)
        task = opened(f"d{number}", answered)
        said = [
            len(new_mails(task, answered + moment))
            for hours in (36, 48)
            for moment in (hours * HOUR - timedelta(seconds=1), hours * HOUR)
        ]
        assert said == [0, 1, 0, 2]
        assert (answered + 48 * HOUR).astimezone(berlin).hour != 12


def test_a_new_policy_does_not_stir_up_what_was_due_before(task, alice, lead, now):
    policy = policy_of(now, (48, REACHED, "lead"), (72, REACHED, "lead"))
    policy.steps.update(since=now + 60 * HOUR)
    assert new_mails(task, now + 61 * HOUR) == []
    assert new_mails(task, now + 72 * HOUR) == ["Lead"]


def test_who_covers_is_told_in_place_of_who_is_away(task, policy, alice, bob, lead, now):
    day = (now + 48 * HOUR).date()
    for user in (alice, lead):
        Absence.objects.create(user=user, cover=bob, first_day=day, last_day=day)
    assert new_mails(task, now + 48 * HOUR) == ["Bob", "Bob"]  # two steps, each once


def test_managers_stand_in_where_nobody_is_named(task, policy, alice, manager, now):
    assert new_mails(task, now + 96 * HOUR) == ["Alice", "Alice", "Manager", "Manager", "Manager"]


def test_a_task_of_nobody_goes_to_the_lead_of_the_team_responsible(
    opened, policy, team, lead, manager, now
):
    task = opened(to=None)
    team.takes_unowned = True
    team.save()
    assert new_mails(task, now + 48 * HOUR) == ["Lead", "Lead"]


def test_the_most_particular_recipients_are_told(task, account, policy, alice, lead, now):
    named("All Accounts", 3)
    named("Retail Head", 3, segment="Retail")
    named("Enterprise Head", 3, segment="Enterprise")
    assert "Enterprise Head" in new_mails(task, now + 72 * HOUR)
    account.revenue = 400_000
    account.save()
    named("Big Fish", 4, from_revenue=300_000)
    named("Whale", 4, from_revenue=500_000)
    assert new_mails(task, now + 96 * HOUR)[:1] == ["Big Fish"]


def test_the_most_particular_policy_holds(opened, account, policy, alice, lead, now):
    policy_of(now, (4, REACHED, "lead"), from_revenue=300_000)
    policy_of(now, (8, REACHED, "lead"), segment="Enterprise")
    policy_of(now, (2, REACHED, "lead"), segment="Retail")
    enterprise = opened("e")
    account.revenue = 400_000
    account.save()
    big = opened("b")
    assert [len(new_mails(big, now + hours * HOUR)) for hours in (3, 4, 8)] == [0, 1, 0]
    account.revenue = None
    account.save()
    assert len(new_mails(enterprise, now + 8 * HOUR)) == 1


def test_the_key_says_once_whatever_the_code_does(task, policy, now):
    step = policy.steps.first()
    row = {"task": task, "step": step, "began_at": now, "level": 1, "after_hours": 36,
           "waits_for": OPENED}  # fmt: skip
    Escalation.objects.create(at=now, **row)
    with pytest.raises(IntegrityError, match="escalated_once"), transaction.atomic():
        Escalation.objects.create(at=now, **row)
    assert new_mails(task, now + 36 * HOUR) == []


def test_rooms_are_told_from_their_level_on(task, policy, alice, lead, head, executive, now):
    url = "https://chat.example/hook"
    ChatHook.objects.create(name="#leads", url=url, from_level=2)
    ChatHook.objects.create(name="#heads", url=url, from_level=3, segment="Enterprise")
    ChatHook.objects.create(name="#retail", url=url, from_level=1, segment="Retail")
    ChatHook.objects.create(name="#off", url=url, from_level=1, is_active=False)
    escalate.escalate(now + 75 * HOUR)
    escalate.escalate(now + 75 * HOUR)
    rooms = Counter(ChatMessage.objects.values_list("hook__name", flat=True))
    assert rooms == {"#leads": 2, "#heads": 1}


@pytest.mark.parametrize("rows", [1, 3])
def test_a_sweep_that_finds_nothing_costs_the_same_for_any_number_of_tasks(
    opened, policy, rows, now, django_assert_num_queries
):
    for number in range(rows):
        opened(f"c{number}")
    escalate.escalate(now + 97 * HOUR)
    with django_assert_num_queries(12):
        assert escalate.escalate(now + 97 * HOUR) == 0


def test_what_is_told_costs_few_statements_for_each_task(
    opened, policy, lead, now, django_assert_max_num_queries
):
    for number in range(20):
        opened(f"c{number}")
    with django_assert_max_num_queries(60):
        assert escalate.escalate(now + 36 * HOUR) == 20
    assert OutreachTask.objects.filter(level=1).count() == 20


def test_a_brief_look_finds_what_came_in_the_last_hour_and_a_full_one_the_rest(
    opened, policy, alice, now
):
    """A full one comes with the first call of each hour, and after a pause."""
    opened("early", now - HOUR), opened("late")
    at = now + 36 * HOUR + 10 * MINUTE
    assert escalate.escalate(at, at - 5 * MINUTE) == 1
    assert Escalation.objects.get().task.customer.email == "late@lakeside.example"
    assert escalate.escalate(at + MINUTE, at) == 0
    assert escalate.escalate(at + 50 * MINUTE, at + 49 * MINUTE) == 1
    assert escalate.escalate(at + MINUTE, at - 24 * HOUR) == 0


def test_the_daily_repeats_come_with_the_full_look(task, policy, executive, now):
    escalate.escalate(now + 96 * HOUR)
    at = now + 120 * HOUR + 5 * MINUTE
    assert escalate.escalate(at, at - MINUTE) == 0
    assert escalate.escalate(at, at - 10 * MINUTE) == 1
