"""Fault 34: whatever happens to tasks, in whatever order, no task is lost, doubled or untrue.

A machine tries verbs at random against PostgreSQL, most of them at the wrong moment, and after each
step everything is compared with what the audit trail says. `make tasks-life` takes 50,000 steps.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

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
    OutreachTask,
    RootCause,
    Survey,
    User,
)
from tests.conftest import NOW, colleague, correct
from tests.faults.truths import CHECKS, Picture, left_behind, what_was_missed

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
        for place in range(3):
            self.open(place=place, score=place)

    def attempt(self, verb: Callable[..., Any], *arguments: Any, **more: Any) -> None:
        """A verb may refuse; then it has changed nothing."""
        with suppress(*REFUSALS), transaction.atomic():
            verb(*arguments, **more)

    def task(self, place: int) -> OutreachTask | None:
        tasks = list(OutreachTask.objects.order_by("pk"))
        return tasks[place % len(tasks)] if tasks else None

    def person(self, place: int) -> User:
        return [*self.managers, self.lead][place % 3]

    @rule(hours=hours, looks=st.booleans())
    def the_clock_passes(self, hours, looks):
        self.now += timedelta(hours=hours)
        if looks:
            self.escalate()

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
        assert left_behind() == []

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

    @rule(place=some, who=some, spoke=st.booleans(), helped=st.sampled_from(["yes", "no"]))
    def close_and_hear_the_customer_s_word(self, place, who, spoke, helped):
        """All the way, which random steps seldom find."""
        if task := self.task(place):
            by = self.person(who)
            if spoke:
                words = ("phone", "spoke", "Called.", self.now)
                self.attempt(reach_out.log_contact, task, by, *words)
            self.attempt(close.close, task, by, self.cause, "lost", "Nothing.", self.now)
            self.now += 25 * HOUR
            confirm.ask(self.now)
            for question in task.confirmations.filter(answered_at=None):
                said = ("yes" if spoke else "no", helped if spoke else "", "Words.", self.now)
                self.attempt(confirm.answer, question, *said)

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
        own.settle(self.now)
        assert left_behind() == []

    @invariant()
    def everything_is_true(self):
        latest = (self.now, AuditEntry.objects.values_list("pk", flat=True).first())
        if latest == self.latest:
            return  # the verb refused
        self.latest, picture = latest, Picture(self.now)
        for check in CHECKS:
            check(picture, self.seen)
        self.seen = {task.pk: task for task in picture.tasks}


class Tally(Life):
    """Counts what the lives were made of: lives in which nothing happens prove nothing."""

    found: Counter[str] = Counter()

    def teardown(self):
        tasks, told = OutreachTask.objects, Escalation.objects
        self.found.update(
            lives=1,
            tasks=tasks.count(),
            denied=tasks.exclude(denied_at=None).count(),
            escalated=told.filter(after_denial=False).count(),
            escalated_again=told.filter(after_denial=True).count(),
            repeated=told.filter(day__gt=0).count(),
            **dict(Counter(AuditEntry.objects.values_list("verb", flat=True))),
        )
        super().teardown()


EVERYTHING = {
    "acknowledge", "ask", "assign", "close", "confirm", "contact", "denied", "deny", "escalated",
    "escalated_again", "merge", "open", "repeated", "snooze", "wake", "withdraw",
}  # fmt: skip


@pytest.mark.usefixtures("lead", "alice", "bob", "nps", "root_cause")
def test_whatever_happens_tasks_stay_true():
    Tally.found.clear()
    run_state_machine_as_test(Tally, settings=LONG_LIVES)
    sys.stdout.write(json.dumps(Tally.found, sort_keys=True) + "\n")
    missing = {name for name in EVERYTHING if not Tally.found[name]}
    assert not missing or STEPS < 2_000
