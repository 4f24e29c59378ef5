"""Fault 34: whatever happens to tasks, in whatever order, no task is lost, doubled or untrue.

A machine tries verbs at random against PostgreSQL, most of them at the wrong moment, and after each
step everything is compared with what the audit trail says. `make tasks-life` takes 50,000 steps.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Count
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from analysis.counts import closure_groups
from analysis.measures.closure import Clock, closure
from surveys.loop import (
    answer,
    ask,
    begin,
    close,
    confirm,
    escalate,
    merge,
    own,
    reach_out,
    snooze,
)
from surveys.models import (
    Account,
    AuditEntry,
    Confirmation,
    Contact,
    Customer,
    Escalation,
    EscalationStep,
    Message,
    OutreachTask,
    Response,
    RootCause,
    Survey,
    Tier,
    User,
)
from tests.conftest import NOW, colleague, correct

STEPS = int(os.environ.get("STEPS", "2000"))
STEPS_OF_A_LIFE = 50
LONG_LIVES = settings(
    max_examples=STEPS // STEPS_OF_A_LIFE,
    stateful_step_count=STEPS_OF_A_LIFE,
    derandomize="STEPS" not in os.environ,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
State = OutreachTask.State
REFUSALS = (
    answer.TooLateToCorrect,
    close.CannotClose,
    confirm.CannotConfirm,
    escalate.NothingToAcknowledge,
    merge.CannotMerge,
    reach_out.CannotLog,
    reach_out.ChangedMeanwhile,
    reach_out.NotOpen,
    snooze.CannotSnooze,
)
WAYS = {  # from each state of a task, the states that it may have after one step
    "open": {"open", "closed", "withdrawn"},
    "closed": {"closed", "open"},
    "withdrawn": {"withdrawn", "open"},
}
HOUR = timedelta(hours=1)
numbers = count()
some = st.integers(min_value=0, max_value=5)
hours = st.sampled_from([0.01, 1, 11, 23, 25, 36, 48, 73, 200])


class Life(RuleBasedStateMachine):
    """Six customers of two accounts, two account managers, a lead, and a clock."""

    def __init__(self):
        super().__init__()
        self.now, self.seen, self.latest = NOW, {}, None
        self.kept = transaction.atomic()
        self.kept.__enter__()

    def teardown(self):
        transaction.set_rollback(True)
        self.kept.__exit__(None, None, None)

    @initialize()
    def begin(self):
        self.survey = Survey.objects.get()
        self.lead = User.objects.get(role="team_lead")
        self.managers = list(User.objects.filter(role="account_manager").order_by("pk"))
        self.cause = RootCause.objects.get()
        begin.usual_policy(self.now)
        self.accounts = [
            Account.objects.create(name=f"Mill {next(numbers)}", owner=owner)
            for owner in self.managers
        ]
        for place in range(6):
            Customer.objects.create(
                account=self.accounts[place % 2], email=f"c{next(numbers)}@mills.example"
            )

    def attempt(self, verb: Callable[..., Any], *arguments: Any, **more: Any) -> None:
        """A verb may refuse; then it has changed nothing."""
        with suppress(*REFUSALS), transaction.atomic():
            verb(*arguments, **more)

    def task(self, place: int) -> OutreachTask | None:
        tasks = list(OutreachTask.objects.order_by("pk"))
        return tasks[place % len(tasks)] if tasks else None

    def person(self, place: int) -> User:
        return [*self.managers, self.lead][place % 3]

    @rule(hours=hours)
    def the_clock_passes(self, hours):
        self.now += timedelta(hours=hours)

    @rule(place=some, score=st.integers(0, 6))
    def open(self, place, score):
        known = list(Customer.objects.known().order_by("pk"))
        occasion = f"event:{next(numbers)}"
        for invitation in ask.invite(self.survey, [known[place % len(known)]], occasion, self.now):
            if invitation.decision == "ask":
                answer.give(invitation, score, "It never came.", self.now)

    @rule(place=some, score=st.sampled_from([3, 9]))
    def correct(self, place, score):
        if task := self.task(place):
            self.attempt(correct, task.response, score, "On second thought", self.now)

    @rule(place=some, who=some, to=some)
    def take_or_hand_over(self, place, who, to):
        if task := self.task(place):
            self.attempt(reach_out.assign, task, self.person(to), self.person(who), self.now)

    @rule(place=some, ahead=hours)
    def snooze(self, place, ahead):
        if task := self.task(place):
            until = self.now + timedelta(hours=ahead)
            self.attempt(snooze.snooze, task, self.lead, until, "On holiday", self.now)

    @rule(place=some)
    def wake(self, place):
        if task := self.task(place):
            self.attempt(snooze.wake, task, self.lead, self.now)

    @rule(place=some)
    def give_to_nobody_and_settle(self, place):
        if task := self.task(place):
            self.attempt(reach_out.assign, task, None, self.lead, self.now)
        own.settle(self.now)

    @rule(place=some, who=some)
    def open_its_page(self, place, who):
        if task := self.task(place):
            escalate.saw(task, self.person(who), self.now)

    @rule(place=some, who=some, outcome=st.sampled_from(Contact.Outcome), also=st.booleans(),
          back=st.sampled_from([0, 100]))  # fmt: skip
    def contact(self, place, who, outcome, also, back):
        if task := self.task(place):
            account = task.customer.account
            theirs = OutreachTask.objects.open().filter(customer__account=account)
            claimed = {"claimed_at": self.now - timedelta(hours=back), "also": theirs[: also * 9]}
            words = ("phone", outcome, "Called.", self.now)
            self.attempt(reach_out.log_contact, task, self.person(who), *words, **claimed)

    @rule(place=some, who=some, outcome=st.sampled_from(OutreachTask.Outcome), old=st.booleans())
    def close(self, place, who, outcome, old):
        if task := self.task(place):
            version = task.version - old
            what = (self.cause, outcome, "Sent a new one.", self.now, version)
            self.attempt(close.close, task, self.person(who), *what)

    @rule(place=some, who=some)
    def withdraw(self, place, who):
        if task := self.task(place):
            self.attempt(close.withdraw, task, self.person(who), "Ours.", self.now)

    @rule()
    def ask_whether_it_helped(self):
        confirm.ask(self.now)

    @rule(place=some, got_back=st.sampled_from(["yes", "no"]),
          helped=st.sampled_from(["", "yes", "partly", "no"]))  # fmt: skip
    def confirm_or_deny(self, place, got_back, helped):
        if asked := list(Confirmation.objects.order_by("pk")):
            question = asked[place % len(asked)]
            self.attempt(confirm.answer, question, got_back, helped, "Words.", self.now)

    @rule()
    def escalate(self):
        escalate.escalate(self.now)
        assert escalate.escalate(self.now) == 0
        assert what_was_missed(self.now) == []

    @rule(place=some, who=some)
    def acknowledge(self, place, who):
        if task := self.task(place):
            self.attempt(escalate.acknowledge, task, self.person(who), self.now)

    @rule(place=some)
    def merge_customers(self, place):
        kept, *others = Customer.objects.known().order_by("pk")
        if others:
            other = others[place % len(others)]
            self.attempt(merge.merge_customers, kept, [other], self.lead, "One.", self.now)

    @rule(along=st.booleans())
    def merge_accounts(self, along):
        kept, *others = Account.objects.standing().order_by("pk")
        if others:
            self.attempt(merge.merge_accounts, kept, others, self.lead, "One.", self.now, along)

    @rule(place=some)
    def an_owner_leaves_and_another_comes(self, place):
        gone = self.managers[place % 2]
        gone.is_active = False
        gone.save()
        new = colleague(f"new{next(numbers)}", "account_manager", gone.team)
        self.managers[place % 2] = new
        for account in Account.objects.standing().filter(owner=gone):
            account.owner = new
            account.save()
            own.follow(account, gone.pk, self.now, self.lead)
        own.leave(gone, self.lead, self.now)

    @invariant()
    def everything_is_true(self):
        latest = (self.now, AuditEntry.objects.values_list("pk", flat=True).first())
        if latest == self.latest:
            return  # the verb refused
        self.latest, picture = latest, Picture(self.now)
        for check in CHECKS:
            check(picture, self.seen)
        self.seen = {task.pk: task for task in picture.tasks}


class Picture:
    """All tasks, and what the audit trail says of each, in a handful of queries."""

    def __init__(self, now: datetime):
        self.now = now
        rows = OutreachTask.objects.select_related("customer").order_by("pk")
        self.tasks = list(rows.prefetch_related("contacts", "confirmations"))
        self.entries: dict[int, list[AuditEntry]] = {}
        for entry in AuditEntry.objects.filter(noun="outreachtask").order_by("pk"):
            self.entries.setdefault(entry.noun_id, []).append(entry)

    def of(self, task: OutreachTask, verb: str) -> list[AuditEntry]:
        return [entry for entry in self.entries[task.pk] if entry.verb == verb]

    def clock_of(self, task: OutreachTask) -> Clock:
        """What the closure rate needs to know of a task, from the audit trail alone."""
        (opened,) = self.of(task, "open")
        reached = [one for one in self.of(task, "contact") if is_reached(one)]
        undone = [one for one in self.entries[task.pk] if one.verb in ("withdraw", "reopen")]
        return Clock(
            started_at=opened.at,
            due_at=datetime.fromisoformat(opened.after["due_at"]).astimezone(UTC),
            first_contact_at=reached[0].at if reached else None,
            withdrawn=bool(undone) and undone[-1].verb == "withdraw",
        )


def is_reached(entry: AuditEntry) -> bool:
    return entry.after["outcome"] in Contact.REACHED


def nothing_is_lost_or_double(picture: Picture, seen: dict) -> None:
    """One task for each answer of a detractor, opened once."""
    answers = Response.objects.values_list("pk", flat=True)
    assert sorted(task.response_id for task in picture.tasks) == sorted(answers)
    assert [len(picture.of(task, "open")) for task in picture.tasks] == [1] * len(picture.tasks)
    assert set(seen) <= {task.pk for task in picture.tasks}


def every_state_is_legal(picture: Picture, seen: dict) -> None:
    for task in picture.tasks:
        before = seen.get(task.pk, task)
        assert task.state in WAYS[before.state]
        assert task.version >= before.version
        assert (task.closed_at is not None) == (task.state == State.CLOSED)
        assert task.customer.merged_into_id is None
        assert not task.denied_at or task.level >= Tier.LEAD
        assert task.state == State.OPEN or task.snoozed_until is None


def no_deadline_moves(picture: Picture, seen: dict) -> None:
    for task in picture.tasks:
        (opened,) = picture.of(task, "open")
        assert task.due_at.isoformat() == opened.after["due_at"]
        assert task.due_at - task.started_at == timedelta(hours=72)
        assert not task.denied_at or task.second_due_at - task.denied_at == timedelta(hours=24)


def what_is_derived_is_what_was_logged(picture: Picture, seen: dict) -> None:
    for task in picture.tasks:
        stored = (task.first_contact_at, task.second_contact_at)
        reach_out.derive(task)
        assert stored == (task.first_contact_at, task.second_contact_at)
        assert len(task.contacts.all()) == len(picture.of(task, "contact"))


def the_rate_can_be_told_from_the_events(picture: Picture, seen: dict) -> None:
    groups = {name: Count("pk", filter=rule) for name, rule in closure_groups(picture.now).items()}
    told = closure(map(picture.clock_of, picture.tasks), picture.now)
    assert OutreachTask.objects.aggregate(**groups) == asdict(told)


def each_closing_is_asked_about_once(picture: Picture, seen: dict) -> None:
    mails = Counter(Message.objects.filter(kind="confirmation").values_list("task", flat=True))
    for task in picture.tasks:
        asked = [question.number for question in task.confirmations.all()]
        assert len(set(asked)) == len(asked) == mails[task.pk] <= task.closings
        assert len(picture.of(task, "close")) == task.closings


def nobody_who_left_has_an_open_task(picture: Picture, seen: dict) -> None:
    assert not OutreachTask.objects.open().filter(owner__is_active=False).exists()


def the_queue_agrees_with_each_task(picture: Picture, seen: dict) -> None:
    """Of both deadlines, and of who is asleep."""
    overdue = set(OutreachTask.objects.overdue(picture.now).values_list("pk", flat=True))
    asleep = set(OutreachTask.objects.asleep(picture.now).values_list("pk", flat=True))
    for task in picture.tasks:
        assert (task.pk in overdue) == task.is_overdue(picture.now) == is_late(task, picture.now)
        assert (task.pk in asleep) == (task.state == State.OPEN and task.is_asleep(picture.now))


def is_late(task: OutreachTask, now: datetime) -> bool:
    """In other words than the model's."""
    first = now > task.due_at and not task.first_contact_at
    second = bool(task.denied_at) and now > task.second_due_at and not task.second_contact_at
    return task.state == State.OPEN and (first or second)


def nobody_is_told_too_early_or_twice(picture: Picture, seen: dict) -> None:
    told = Counter()
    for one in Escalation.objects.select_related("task"):
        told[one.task_id, one.step_id, one.began_at, one.day] += 1
        assert one.at >= one.began_at + one.hours * HOUR
        assert one.task.level >= one.level
    assert not told or max(told.values()) == 1


def what_was_missed(now: datetime) -> list[tuple[int, int]]:
    """Tasks and steps whose hour has come on a clock that runs, and that nobody was told of."""
    steps = list(EscalationStep.objects.all())
    told = set(Escalation.objects.values_list("task", "step", "began_at"))
    return [
        (task.pk, step.pk)
        for task in OutreachTask.objects.open()
        for began, again, met in (
            (task.started_at, False, task.first_contact_at),
            (task.denied_at, True, task.second_contact_at),
        )
        if began and not met
        for step in steps
        if now >= began + step.hours(again) * HOUR > step.since
        if step.waits_for == "reached" or task.seen_at is None
        if (task.pk, step.pk, began) not in told
    ]


CHECKS = [
    nothing_is_lost_or_double,
    every_state_is_legal,
    no_deadline_moves,
    what_is_derived_is_what_was_logged,
    the_rate_can_be_told_from_the_events,
    each_closing_is_asked_about_once,
    nobody_who_left_has_an_open_task,
    the_queue_agrees_with_each_task,
    nobody_is_told_too_early_or_twice,
]


@pytest.mark.usefixtures("lead", "alice", "bob", "nps", "root_cause")
def test_whatever_happens_tasks_stay_true():
    run_state_machine_as_test(Life, settings=LONG_LIVES)
