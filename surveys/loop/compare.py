"""Compare: what the customer of a closed task says at the next survey, beside what they said."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import F, OuterRef, Subquery

from surveys.models import AuditEntry, OutreachTask, Response

BATCH = 1_000
# Of the customer's first answer after the closing, in the same family of surveys, of the same kind.
NEXT_SCORE = Subquery(
    Response.objects.counted()
    .filter(
        customer=OuterRef("customer"),
        kind=OuterRef("response__kind"),
        survey__family=OuterRef("response__survey__family"),
        answered_at__gt=OuterRef("closed_at"),
        score__isnull=False,
    )
    .order_by("answered_at", "pk")
    .values("score")[:1]
)


def compare(now: datetime) -> int:
    """Write down the shift in score of each closed task whose customer has answered again since,
    or has changed that answer; returns of how many."""
    done = 0
    while batch := _compare_batch(now):
        done += batch
    return done


@transaction.atomic
def _compare_batch(now: datetime) -> int:
    closed = OutreachTask.objects.filter(closed_at__isnull=False)
    found = closed.annotate(found=NEXT_SCORE - F("response__score")).filter(found__isnull=False)
    news = found.exclude(shift=F("found"), shift__isnull=False).order_by("pk")[:BATCH]
    tasks = list(news)
    before = [task.shift for task in tasks]
    for task in tasks:
        task.shift = task.found
    OutreachTask.objects.bulk_update(tasks, ["shift"])
    AuditEntry.record_many(
        AuditEntry.of("compare", task, now, before={"shift": old}, after={"shift": task.shift})
        for task, old in zip(tasks, before, strict=True)
    )
    return len(tasks)
