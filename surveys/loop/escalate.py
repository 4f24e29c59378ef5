"""Escalate: who has not been reached is made known up the chain, each step once, on the clock.

Hours are elapsed hours after the answer, whatever the clocks on the walls do. A clock that was down
catches up at its first sweep: each step that has come meanwhile is told, of the daily repeats only
the latest.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, Value
from django.db.models.functions import Greatest

from surveys.delivery.hints import hint
from surveys.delivery.outbox import post_many
from surveys.loop.chain import Chain, Person
from surveys.models import (
    AuditEntry,
    ChatHook,
    ChatMessage,
    Escalation,
    EscalationPolicy,
    EscalationRecipient,
    EscalationStep,
    Message,
    OutreachTask,
    User,
)
from surveys.models.outreach import OutreachTasks

TELL_CHATS = "surveys.tasks.tell_chats"
BATCH = 500
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
Waits = EscalationStep.Waits


class NothingToAcknowledge(Exception):
    """The task is over, or has not been escalated."""


def escalate(now: datetime) -> int:
    """Tell of every step that has come, and of the daily repeats; returns how many.

    Safe to run in many processes at once: tasks are locked, and a unique key says “once”.
    """
    told = 0
    earlier = Q(pk__in=[])
    policies = EscalationPolicy.objects.filter(is_active=True).prefetch_related("steps")
    for policy in policies.most_particular_first():
        mine = policy.tasks()
        tasks = OutreachTask.objects.open().filter(mine, ~earlier, first_contact_at=None)
        steps = list(policy.steps.all())
        for step in steps:
            told += _reach(step, 0, tasks, now)
        if policy.repeats_daily and steps:
            told += _repeat(steps[-1], tasks, now)
        earlier |= mine
    return told


def _reach(step: EscalationStep, day: int, tasks: OutreachTasks, now: datetime) -> int:
    """All that have come to `step`, or to that repeat of it."""
    wait = step.after_hours * HOUR + day * DAY
    come = tasks.filter(started_at__lte=now - wait, started_at__gt=step.since - wait)
    if step.waits_for == Waits.OPENED:
        come = come.filter(seen_at=None)
    gone = Escalation.objects.filter(task=OuterRef("pk"), step=step, day=day)
    return _all(step, day, come.filter(~Exists(gone)), now)


def _repeat(step: EscalationStep, tasks: OutreachTasks, now: datetime) -> int:
    """Daily after the last step, to those who never said that they have seen it."""
    of_it = Escalation.objects.filter(task=OuterRef("pk"), step=step)
    unseen = tasks.filter(Exists(of_it), ~Exists(of_it.exclude(acknowledged_at=None)))
    unseen = unseen.filter(started_at__lte=now - step.after_hours * HOUR - DAY)
    days = {(now - at - step.after_hours * HOUR) // DAY for at in
            unseen.values_list("started_at", flat=True)}  # fmt: skip
    return sum(_reach_day(step, day, unseen, now) for day in sorted(days))


def _reach_day(step: EscalationStep, day: int, tasks: OutreachTasks, now: datetime) -> int:
    """Not the days that passed while the clock was down: the latest says it all."""
    until = now - step.after_hours * HOUR - day * DAY
    today = tasks.filter(started_at__lte=until, started_at__gt=until - DAY)
    return _reach(step, day, today, now)


def _all(step: EscalationStep, day: int, due: OutreachTasks, now: datetime) -> int:
    told = 0
    while due.exists() and (done := _batch(step, day, due, now)):
        told += done
    return told


@transaction.atomic
def _batch(step: EscalationStep, day: int, due: OutreachTasks, now: datetime) -> int:
    about = ("response", "customer__account", "owner")
    free = due.select_for_update(of=("self",), skip_locked=True, no_key=True)
    tasks = list(free.select_related(*about).order_by("started_at", "pk")[:BATCH])
    # Looked at again under the lock: another clock may have told of some while we waited.
    rows = Escalation.objects.filter(task__in=tasks, step=step, day=day)
    told = set(rows.values_list("task_id", flat=True))
    tasks = [task for task in tasks if task.pk not in told]
    if tasks:
        _tell([_escalation(task, step, day, now) for task in tasks], step, now)
    return len(tasks)


def _escalation(task: OutreachTask, step: EscalationStep, day: int, now: datetime) -> Escalation:
    return Escalation(
        task=task,
        step=step,
        day=day,
        level=step.level,
        after_hours=step.after_hours,
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
        why = f"{one.hours} hours after the answer {one.get_waits_for_display()}: told {names}."
        AuditEntry.record("escalate", one.task, now, before=before, after=after, reason=why)


def _mail(one: Escalation, person: Person, now: datetime) -> Message:
    colleague = person if isinstance(person, User) else None
    return Message(
        kind=Message.Kind.ESCALATION,
        dedupe_key=f"escalation:{one.pk}:{'u' if colleague else 'r'}{person.pk}",
        task=one.task,
        escalation=one,
        user=colleague,
        recipient=person if isinstance(person, EscalationRecipient) else None,
        next_at=now,
        created_at=now,
    )


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
