"""Foretell: what a policy would have done, or will do, about one task. Nothing is written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from surveys.loop.chain import Chain, Person
from surveys.models import EscalationPolicy, EscalationStep, OutreachTask

HOUR = timedelta(hours=1)
Waits = EscalationStep.Waits


@dataclass(frozen=True)
class Foretold:
    """One step, when its hour is, whom it tells, and why not, if it does not."""

    step: EscalationStep
    at: datetime
    told: list[Person]
    why_not: str
    has_come: bool


def foretell(policy: EscalationPolicy, task: OutreachTask, now: datetime) -> list[Foretold]:
    """Each step of `policy`, on the facts of the task and with the people of today."""
    chain = Chain(now)
    return [_foretell(step, task, chain, now) for step in policy.steps.all()]


def _foretell(step: EscalationStep, task: OutreachTask, chain: Chain, now: datetime) -> Foretold:
    at = task.started_at + step.after_hours * HOUR
    why_not = _why_not(step, task, at)
    told = [] if why_not else chain.told(task, step.tiers)
    return Foretold(step, at, told, why_not, has_come=at <= now)


def _why_not(step: EscalationStep, task: OutreachTask, at: datetime) -> str:
    if task.first_contact_at and task.first_contact_at <= at:
        return "The customer had been reached."
    if task.closed_at and task.closed_at <= at:
        return "The task had been closed."
    if task.state in (OutreachTask.State.WITHDRAWN, OutreachTask.State.FORGOTTEN):
        return f"The task is {task.get_state_display().lower()}."
    if step.waits_for == Waits.OPENED and task.seen_at and task.seen_at <= at:
        return "Somebody had opened the task."
    return ""
