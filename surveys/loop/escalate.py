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
from django.db.models import Exists, F, OuterRef, Q, Value
from django.db.models.functions import Extract, Floor, Greatest

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


@dataclass(frozen=True)
class Moment:
    """A step on a clock, and the day of its repeat; 0: the step itself."""

    step: EscalationStep
    clock: Clock
    day: int = 0

    @property
    def wait(self) -> timedelta:
        return self.clock.wait(self.step) + self.day * DAY


def escalate(now: datetime) -> int:
    """Tell of every step that has come, and of the daily repeats; returns how many.

    Safe to run in many processes at once: tasks are locked, and a unique key says “once”.
    """
    told = 0
    earlier = Q(pk__in=[])
    policies = EscalationPolicy.objects.filter(is_active=True).prefetch_related("steps")
    for policy in policies.most_particular_first():
        mine = policy.tasks()
        tasks = OutreachTask.objects.open().filter(mine, ~earlier)
        told += sum(_by(policy, clock, tasks.filter(clock.runs), now) for clock in CLOCKS)
        earlier |= mine
    return told


def _by(policy: EscalationPolicy, clock: Clock, tasks: OutreachTasks, now: datetime) -> int:
    moments = [Moment(step, clock) for step in policy.steps.all()]
    told = sum(_reach(moment, tasks, now) for moment in moments)
    if policy.repeats_daily and moments:
        told += _repeat(moments[-1], tasks, now)
    return told


def _reach(moment: Moment, tasks: OutreachTasks, now: datetime) -> int:
    """All that have come to it."""
    step, began = moment.step, moment.clock.began
    come = tasks.filter(
        **{f"{began}__lte": now - moment.wait, f"{began}__gt": step.since - moment.wait}
    )
    if step.waits_for == Waits.OPENED:
        come = come.filter(seen_at=None)
    gone = moment.clock.escalations().filter(step=step, day=moment.day)
    due = come.filter(~Exists(gone)).order_by(began, "pk")
    told = 0
    while due.exists() and (done := _batch(moment, due, now)):
        told += done
    return told


def _repeat(last: Moment, tasks: OutreachTasks, now: datetime) -> int:
    """Daily after the last step, to those who never said that they have seen it."""
    began = last.clock.began
    of_it = last.clock.escalations().filter(step=last.step)
    unseen = tasks.filter(Exists(of_it), ~Exists(of_it.exclude(acknowledged_at=None)))
    unseen = unseen.filter(**{f"{began}__lte": now - last.wait - DAY})
    waited = Extract(Value(now - last.wait) - F(began), "epoch")
    days = unseen.annotate(day=Floor(waited / Value(DAY.total_seconds()))).order_by("day")
    found = list(days.values_list("day", flat=True).distinct())
    return sum(_reach_day(Moment(last.step, last.clock, int(day)), unseen, now) for day in found)


def _reach_day(moment: Moment, tasks: OutreachTasks, now: datetime) -> int:
    """Not the days that passed while the sweep was down: the latest says it all."""
    today = tasks.filter(**{f"{moment.clock.began}__gt": now - moment.wait - DAY})
    return _reach(moment, today, now)


@transaction.atomic
def _batch(moment: Moment, due: OutreachTasks, now: datetime) -> int:
    free = due.select_for_update(of=("self",), skip_locked=True, no_key=True)
    # What is joined to a row is as it was when the query began: what is told is read once locked.
    tasks = list(free.prefetch_related("response", "customer__account", "owner")[:BATCH])
    rows = [_escalation(task, moment, now) for task in tasks]
    # Looked at again under the lock: another clock may have told of some while we waited.
    told = Escalation.objects.filter(task__in=tasks, step=moment.step, day=moment.day)
    known = set(told.values_list("task_id", "began_at"))
    rows = [row for row in rows if (row.task_id, row.began_at) not in known]
    if rows:
        _tell(rows, moment.step, now)
    return len(rows)


def _escalation(task: OutreachTask, moment: Moment, now: datetime) -> Escalation:
    step, clock = moment.step, moment.clock
    return Escalation(
        task=task,
        step=step,
        began_at=getattr(task, clock.began),
        after_denial=clock.after_denial,
        day=moment.day,
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
    for one, people in told.items():
        names = ", ".join(str(person) for person in people)
        after = {"level": max(one.task.level, step.level)}
        before = {"level": one.task.level}
        why = f"{one} {one.get_waits_for_display()}: told {names}."
        AuditEntry.record("escalate", one.task, now, before=before, after=after, reason=why)


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
