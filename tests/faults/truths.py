"""What must be true of all tasks at any moment, told from the audit trail and in other words than
the product's."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

from django.db.models import Count

from analysis.counts import closure_groups
from analysis.measures.closure import Clock, closure
from surveys.loop import reach_out
from surveys.models import (
    AuditEntry,
    Contact,
    Escalation,
    EscalationStep,
    Message,
    OutreachTask,
    Response,
    Tier,
)

HOUR = timedelta(hours=1)
State = OutreachTask.State
WAYS = {  # from each state of a task, the states that it may have after one step
    "open": {"open", "closed", "withdrawn"},
    "closed": {"closed", "open"},
    "withdrawn": {"withdrawn", "open"},
}


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


def the_queue_agrees_with_each_task(picture: Picture, seen: dict) -> None:
    """Of both deadlines, and of who is asleep."""
    overdue = set(OutreachTask.objects.overdue(picture.now).values_list("pk", flat=True))
    asleep = set(OutreachTask.objects.asleep(picture.now).values_list("pk", flat=True))
    for task in picture.tasks:
        assert (task.pk in overdue) == task.is_overdue(picture.now) == is_late(task, picture.now)
        assert (task.pk in asleep) == (task.state == State.OPEN and task.is_asleep(picture.now))


def left_behind() -> list[int]:
    """Open tasks of colleagues who have left; right after a sweep there are none. Before it there
    may be, such as when a customer opens again what was over when its owner left."""
    tasks = OutreachTask.objects.open().filter(owner__is_active=False)
    return list(tasks.values_list("pk", flat=True))


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
    the_queue_agrees_with_each_task,
    nobody_is_told_too_early_or_twice,
]
