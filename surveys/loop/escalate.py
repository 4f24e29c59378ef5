"""Escalate: who has not been reached is made known up the chain, each step once, on the clock.

Hours are elapsed hours after the answer, whatever the clocks on the walls do. A customer who denies
that anybody got back starts a second clock, on which the steps come again, and faster. A sweep that
was down catches up at its first run: each step that has come meanwhile is told, of the daily
repeats only the latest.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, F, IntegerField, OuterRef, Q, Value
from django.db.models.functions import Cast, Extract, Floor, Greatest

from surveys.delivery.hints import hint
from surveys.delivery.outbox import post_many
from surveys.loop.chain import Chain
from surveys.models import (
    AuditEntry,
    ChatHook,
    ChatMessage,
    Escalation,
    EscalationPolicy,
    EscalationStep,
    Message,
    OutreachTask,
    User,
)
from surveys.models.escalation import Escalations, Person
from surveys.models.outreach import OutreachTasks

TELL_CHATS = "surveys.tasks.tell_chats"
BATCH = 500
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
Waits = EscalationStep.Waits


class NothingToAcknowledge(Exception):
    """The task is over, or has not been escalated."""


@dataclass(frozen=True)
class Clock:
    """What the hours of the steps are counted from, and for which open tasks it runs."""

    began: str  # the field that says when
    runs: Q
    after_denial: bool

    def wait(self, step: EscalationStep) -> timedelta:
        return step.hours(self.after_denial) * HOUR

    def began_of(self, task: OutreachTask) -> datetime | None:
        return getattr(task, self.began)

    def escalations(self) -> Escalations:
        """On this clock, of the task of the query outside."""
        return Escalation.objects.filter(task=OuterRef("pk"), began_at=OuterRef(self.began))


CLOCKS = [
    Clock("started_at", Q(first_contact_at=None), after_denial=False),
    Clock("denied_at", Q(denied_at__isnull=False, second_contact_at=None), after_denial=True),
]


def escalate(now: datetime, last: datetime | None = None) -> int:
    """Tell of every step that has come, and of the daily repeats; returns how many.

    `last` is when it was called before. A call in the same hour looks at what has come within an
    hour only, which is little however many tasks are open; the first of each hour, or after a
    pause, looks at everything. Safe to run in many processes at once: tasks are locked, and a
    unique key says “once”.
    """
    told = 0
    earlier = Q(pk__in=[])
    policies = EscalationPolicy.objects.filter(is_active=True).prefetch_related("steps")
    for policy in policies.most_particular_first():
        mine = policy.tasks()
        tasks = OutreachTask.objects.open().filter(mine, ~earlier)
        sweep = Sweep(policy, now, is_brief=last is not None and _hour(last) == _hour(now))
        told += sum(sweep.by(clock, tasks.filter(clock.runs)) for clock in CLOCKS)
        earlier |= mine
    return told


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


@dataclass(frozen=True)
class Sweep:
    """A walk through the steps of one policy."""

    policy: EscalationPolicy
    now: datetime
    is_brief: bool

    def by(self, clock: Clock, tasks: OutreachTasks) -> int:
        steps = list(self.policy.steps.all())
        told = sum(self._reach(step, clock, tasks) for step in steps)
        if self.policy.repeats_daily and steps and not self.is_brief:
            told += self._repeat(steps[-1], clock, tasks)
        return told

    def _reach(self, step: EscalationStep, clock: Clock, tasks: OutreachTasks) -> int:
        """All that have come to `step`."""
        until = self.now - clock.wait(step)
        after = step.since - clock.wait(step)
        after = max(after, until - HOUR) if self.is_brief else after
        come = tasks.filter(**{f"{clock.began}__lte": until, f"{clock.began}__gt": after})
        if step.waits_for == Waits.OPENED:
            come = come.filter(seen_at=None)
        return self._all(step, clock, come.annotate(day=Value(0)))

    def _repeat(self, last: EscalationStep, clock: Clock, tasks: OutreachTasks) -> int:
        """Daily after the last step, to those who never said that they have seen it. Of the days
        that passed while the sweep was down, the latest says it all."""
        until = self.now - clock.wait(last)
        told = clock.escalations().filter(step=last)
        unseen = tasks.filter(Exists(told), ~Exists(told.exclude(acknowledged_at=None)))
        unseen = unseen.filter(**{f"{clock.began}__lte": until - DAY})
        waited = Extract(Value(until) - F(clock.began), "epoch")
        day = Cast(Floor(waited / Value(DAY.total_seconds())), IntegerField())
        return self._all(last, clock, unseen.annotate(day=day))

    def _all(self, step: EscalationStep, clock: Clock, due: OutreachTasks) -> int:
        """Of `due`, each with its `day`, those that have not been told of it."""
        gone = clock.escalations().filter(step=step, day=OuterRef("day"))
        due = due.filter(~Exists(gone)).order_by(clock.began, "pk")
        told = 0
        while due.exists() and (done := _batch(step, clock, due, self.now)):
            told += done
        return told


@transaction.atomic
def _batch(step: EscalationStep, clock: Clock, due: OutreachTasks, now: datetime) -> int:
    free = due.select_for_update(of=("self",), skip_locked=True, no_key=True)
    # What is joined to a row is as it was when the query began: what is told is read once locked.
    tasks = list(free.prefetch_related("response", "customer__account", "owner")[:BATCH])
    rows = [_escalation(task, step, clock, now) for task in tasks]
    # Looked at again under the lock: another clock may have told of some while we waited.
    told = Escalation.objects.filter(task__in=tasks, step=step)
    known = set(told.values_list("task_id", "began_at", "day"))
    rows = [row for row in rows if (row.task_id, row.began_at, row.day) not in known]
    if rows:
        _tell(rows, step, now)
    return len(rows)


def _escalation(
    task: OutreachTask, step: EscalationStep, clock: Clock, now: datetime
) -> Escalation:
    return Escalation(
        task=task,
        step=step,
        began_at=getattr(task, clock.began),
        after_denial=clock.after_denial,
        day=getattr(task, "day"),  # noqa: B009 - the query's, not the model's
        level=step.level,
        after_hours=step.hours(clock.after_denial),
        waits_for=step.waits_for,
        at=now,
    )


def _tell(escalations: list[Escalation], step: EscalationStep, now: datetime) -> None:
    """Everything that follows from a step, in the transaction that notes that it was reached."""
    escalations = Escalation.objects.bulk_create(escalations)
    tasks = [one.task_id for one in escalations]
    level = Greatest(F("level"), Value(step.level))
    OutreachTask.objects.filter(pk__in=tasks).update(level=level)
    chain = Chain(now)
    told = {one: chain.told(one.task, step.tiers) for one in escalations}
    post_many([_mail(one, person, now) for one, people in told.items() for person in people])
    hooks = ChatHook.objects.filter(is_active=True, from_level__lte=step.level)
    _chat(escalations, list(hooks), now)
    AuditEntry.record_many(_entry(one, people, now) for one, people in told.items())


def _entry(one: Escalation, people: list[Person], now: datetime) -> AuditEntry:
    before, after = {"level": one.task.level}, {"level": max(one.task.level, one.level)}
    names = ", ".join(str(person) for person in people)
    why = f"{one} {one.get_waits_for_display()}: told {names}."
    return AuditEntry.of("escalate", one.task, now, before=before, after=after, reason=why)


def _mail(one: Escalation, person: Person, now: datetime) -> Message:
    about = {"task": one.task, "escalation": one, "next_at": now, "created_at": now}
    return Message.to(person, f"escalation:{one.pk}", kind=Message.Kind.ESCALATION, **about)


def _chat(escalations: list[Escalation], hooks: list[ChatHook], now: datetime) -> None:
    rows = [
        ChatMessage(hook=hook, escalation=one, next_at=now, created_at=now)
        for one in escalations
        for hook in hooks
        if hook.covers(one.task.response.segment, one.task.customer.account)
    ]
    if rows:
        ChatMessage.objects.bulk_create(rows, ignore_conflicts=True)
        hint(TELL_CHATS)


@transaction.atomic
def acknowledge(task: OutreachTask, by: Person, now: datetime) -> bool:
    """`by` knows of it: no more daily repeats. Later steps come all the same. False: it was known.

    Raises NothingToAcknowledge.
    """
    if task.state != OutreachTask.State.OPEN or not task.escalations.exists():
        raise NothingToAcknowledge("This task is over, or was never escalated: nothing is left.")
    waiting = task.escalations.select_for_update().filter(acknowledged_at=None)
    ids = list(waiting.values_list("pk", flat=True))
    if not ids:
        return False
    rows = Escalation.objects.filter(pk__in=ids)
    rows.update(acknowledged_at=now, acknowledged_by=str(by)[:254])
    actor = by if isinstance(by, User) else None
    reason = "" if actor else f"{by} did, by the link of their mail."
    AuditEntry.record("acknowledge", task, now, actor=actor, reason=reason)
    return True


def saw(task: OutreachTask, user: User, now: datetime) -> None:
    """Note when somebody who may work the task first opened its page."""
    if task.seen_at is None and user.has_perm("surveys.change_outreachtask"):
        OutreachTask.objects.filter(pk=task.pk, seen_at=None).update(seen_at=now)
