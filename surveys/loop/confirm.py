"""Confirm: a day after a task was closed its customer is asked whether somebody got back to them,
and whether it helped. Whoever says no has the task opened again.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef

from surveys.delivery import openings
from surveys.delivery.outbox import post_many
from surveys.loop import deny
from surveys.models import AuditEntry, Confirmation, GotBack, Message, OutreachTask
from surveys.models.confirmations import WORDS_LENGTH

BATCH = 500
NEWS_FOR = timedelta(days=7)  # so that what was closed long ago is left in peace


class CannotConfirm(Exception):
    """The link has expired, or was cut because its customer was forgotten."""


def ask(now: datetime) -> int:
    """Queue the question about each closing that is CONFIRM_AFTER_HOURS old; returns how many.

    Once for each closing, however many clocks ask. Throttles do not apply, as it is the end of what
    the customer began; who has unsubscribed is not written to (delivery/wanted.py).
    """
    asked = 0
    while done := _batch(now):
        asked += done
    return asked


@transaction.atomic
def _batch(now: datetime) -> int:
    until = now - timedelta(hours=settings.CONFIRM_AFTER_HOURS)
    asked = Confirmation.objects.filter(task=OuterRef("pk"), number=OuterRef("closings"))
    closed = OutreachTask.objects.filter(
        ~Exists(asked),
        state=OutreachTask.State.CLOSED,
        closed_at__lte=until,
        closed_at__gt=until - NEWS_FOR,
        closings__gt=0,
        customer__email__isnull=False,
        response__invitation__isnull=False,
    )
    free = closed.select_for_update(of=("self",), skip_locked=True)
    tasks = list(free.select_related("customer", "response__survey")[:BATCH])
    # Looked at again under the lock: another clock may have asked meanwhile.
    rows = Confirmation.objects.filter(task__in=tasks).values_list("task", "number")
    known = set(rows)
    return sum(_ask(task, now) for task in tasks if (task.pk, task.closings) not in known)


def _ask(task: OutreachTask, now: datetime) -> int:
    question = Confirmation.objects.create(
        task=task, number=task.closings, claimed=task.was_reached, asked_at=now
    )
    opens = openings.opening(task.response.survey, task.customer, now)
    mail = Message(
        kind=Message.Kind.CONFIRMATION,
        dedupe_key=f"confirm:{task.pk}:{task.closings}",
        confirmation=question,
        invitation_id=task.response.invitation_id,
        task=task,
        next_at=opens,
        created_at=now,
    )
    post_many([mail])
    AuditEntry.record("ask", task, now, after={"closing": task.closings})
    return 1


@transaction.atomic
def answer(
    question: Confirmation, got_back: str, helped: str, comment: str, now: datetime
) -> Confirmation:
    """Keep what the customer says; a *no* to either question opens the task again.

    `got_back` is one of GotBack, `helped` of Helped or empty. What was said first stands: later
    presses change nothing. What is said of an earlier closing than the last is kept, and no more.
    Raises CannotConfirm.
    """
    task = OutreachTask.objects.select_for_update(of=("self",)).get(pk=question.task_id)
    row = Confirmation.objects.select_for_update().get(pk=question.pk)
    if row.digest != question.digest or (row.answered_at is None and row.has_expired(now)):
        raise CannotConfirm("This link leads nowhere any more.")
    if row.answered_at:
        return row
    row.got_back, row.answered_at = got_back, now
    row.helped = helped if got_back == GotBack.YES else ""
    row.comment = comment[:WORDS_LENGTH]
    row.save()
    said = {"closing": row.number, "claimed": row.claimed, "got_back": row.got_back}
    AuditEntry.record("confirm", task, now, after=said | {"helped": row.helped})
    if row.is_denial and task.state == OutreachTask.State.CLOSED and task.closings == row.number:
        deny.reopen(task, row, now)
    return row
