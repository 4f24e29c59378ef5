"""Foretell: what a policy would have done, or will do, about one task. Nothing is written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from surveys.loop.chain import Chain
from surveys.loop.escalate import CLOCKS, Clock
from surveys.models import EscalationPolicy, EscalationStep, OutreachTask
from surveys.models.escalation import Person

Waits = EscalationStep.Waits


@dataclass(frozen=True)
class Foretold:
    """One step, when its hour is, whom it tells, and why not, if it does not."""

    step: EscalationStep
    after_denial: bool
    at: datetime
    told: list[Person]
    why_not: str
    has_come: bool

    @property
    def hours(self) -> int:
        return self.step.hours(self.after_denial)


def foretell(policy: EscalationPolicy, task: OutreachTask, now: datetime) -> list[Foretold]:
    """Each step of `policy`, on the facts of the task and with the people of today; of a task that
    its customer denied most lately, each on the second clock as well."""
    chain = Chain(now)
    steps = list(policy.steps.all())
    running = [(clock, began) for clock in CLOCKS if (began := clock.began_of(task))]
    return [
        _foretell(step, clock, began + clock.wait(step), task, chain, now)
        for clock, began in running
        for step in steps
    ]


def _foretell(
    step: EscalationStep,
    clock: Clock,
    at: datetime,
    task: OutreachTask,
    chain: Chain,
    now: datetime,
) -> Foretold:
    why_not = _why_not(step, clock, task, at)
    told = [] if why_not else chain.told(task, step.tiers)
    return Foretold(step, clock.after_denial, at, told, why_not, has_come=at <= now)


def _why_not(step: EscalationStep, clock: Clock, task: OutreachTask, at: datetime) -> str:
    reached_at = task.second_contact_at if clock.after_denial else task.first_contact_at
    if reached_at and reached_at <= at:
        return "The customer had been reached."
    if task.closed_at and task.closed_at <= at:
        return "The task had been closed."
    if task.state in (OutreachTask.State.WITHDRAWN, OutreachTask.State.FORGOTTEN):
        return f"The task is {task.get_state_display().lower()}."
    if step.waits_for == Waits.OPENED and task.seen_at and task.seen_at <= at:
        return "Somebody had opened the task."
    return ""
