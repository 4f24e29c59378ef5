"""The chain of command at Larkfield, and what it has been told so far. No mail goes out for it."""

from datetime import datetime, timedelta

from surveys.demo import company
from surveys.loop import begin
from surveys.models import Escalation, EscalationRecipient, EscalationStep, OutreachTask, Tier

HEADS = (
    (Tier.HEAD, "Hanne Vale", "hanne", "", None),
    (Tier.HEAD, "Piet Aldous", "piet", company.BIG, None),
    (Tier.EXECUTIVE, "Orla Finch", "orla", "", None),
    (Tier.EXECUTIVE, "Emil Stroud", "emil", "", 300_000),
)


def tell(now: datetime) -> None:
    """The usual policy, from now on; what is overdue by now was told in its time, and is known."""
    begin.usual_policy(now)
    EscalationRecipient.objects.bulk_create(
        EscalationRecipient(tier=tier, name=name, email=f"{key}@{company.DOMAIN}",
                            segment=segment, from_revenue=revenue)
        for tier, name, key, segment, revenue in HEADS
    )  # fmt: skip
    steps = list(EscalationStep.objects.filter(waits_for=EscalationStep.Waits.REACHED))
    waiting = OutreachTask.objects.open().filter(first_contact_at=None)
    rows = [row for task in waiting for row in _reached(task, steps, now)]
    Escalation.objects.bulk_create(rows)
    for row in rows:
        row.task.level = max(row.task.level, row.level)
    OutreachTask.objects.bulk_update({row.task for row in rows}, ["level"])


def _reached(task: OutreachTask, steps: list, now: datetime) -> list[Escalation]:
    moments = [(step, task.started_at + timedelta(hours=step.after_hours)) for step in steps]
    return [
        Escalation(task=task, step=step, began_at=task.started_at, level=step.level,
                   after_hours=step.after_hours, waits_for=step.waits_for, at=at,
                   acknowledged_at=at + timedelta(hours=1), acknowledged_by="Mira Castell")
        for step, at in moments
        if at <= now
    ]  # fmt: skip
