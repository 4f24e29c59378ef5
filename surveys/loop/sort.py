"""Sort: from a score to its band, and from an answer to its outreach task."""

from __future__ import annotations

from datetime import datetime

from surveys.loop import follow_up
from surveys.models import BANDS, DEADLINE, Band, Kind, OutreachTask, Response

Cause, State = OutreachTask.Cause, OutreachTask.State
STEEP = 3  # points of the scale
# What was before another 72 h began says nothing about them.
BYGONE = ["first_contact_at", "closed_at", "denied_at", "second_due_at", "second_contact_at"]


class ScoreOutOfRange(ValueError):
    """The score is not on the survey's scale."""


def band(kind: str, score: int) -> str:
    """promoter, passive or detractor: NPS 0-10 (9-10, 7-8, 0-6), CSAT 1-5 (4-5, 3, 1-2),
    CES 1-7 (5-7, 4, 1-3). Raises ScoreOutOfRange."""
    for name, (low, high) in BANDS[kind].items():
        if low <= score <= high:
            return name
    scale = Kind(kind).scale
    raise ScoreOutOfRange(f"{score} is not on the scale from {scale[0]} to {scale[-1]}.")


def cause_of(response: Response) -> str | None:
    """Why this answer is to be followed up, as OutreachTask.Cause; None: it is not.

    A drop in loyalty counts where the survey says so: from promoter to passive, or by 3 or more
    since the customer's previous counted answer in the same family of surveys, of the same kind.
    """
    if response.verdict != Response.Verdict.PERSON:
        return None
    if response.band == Band.DETRACTOR:
        return Cause.DETRACTOR
    if response.wants_contact:
        return Cause.CONTACT_WISH
    if response.survey.task_on_loyalty_drop and _has_dropped(response):
        return Cause.LOYALTY_DROP
    return None


def _has_dropped(response: Response) -> bool:
    if response.customer_id is None:
        return False  # nobody knows who said something before
    earlier = Response.objects.counted().filter(
        customer=response.customer_id,
        survey__family=response.survey.family_id,
        kind=response.kind,
        score__isnull=False,
        answered_at__lt=response.answered_at,
    )
    before = earlier.exclude(pk=response.pk).first()
    if before is None or before.score is None or response.score is None:
        return False
    is_less_loyal = (before.band, response.band) == (Band.PROMOTER, Band.PASSIVE)
    return is_less_loyal or before.score - response.score >= STEEP


def settle(
    response: Response, task: OutreachTask | None, now: datetime, *, before: str | None, why: str
) -> bool:
    """Let the outreach task follow a change of the answer; call it inside that transaction, with
    its task, locked, if there is one. Returns whether it has opened one.

    `before` is `cause_of` the answer before the change. A task that is no longer needed is
    withdrawn, never deleted; one that is needed again goes on with its first deadline.
    """
    cause = cause_of(response)
    if cause == before:
        return False
    if task is None:
        if cause is None or not _can_be_contacted(response):
            return False
        follow_up.open_task(response, cause, now)
        return True
    if cause is not None:
        _need_again(task, cause, now, why)
    elif task.state == State.OPEN:
        over = {"state": State.WITHDRAWN, "withdrawn_reason": why}
        follow_up.change(task, "withdraw", now, why, **over, snoozed_until=None, snooze_reason="")
    return False


def _need_again(task: OutreachTask, cause: str, now: datetime, why: str) -> None:
    """Only a detractor's answer starts another 72 h, unless those of another cause still run. What
    was a detractor's task once keeps that deadline and its place in the closure rate: a later
    answer that wants a call for another reason would take a miss out of it."""
    if task.cause == Cause.DETRACTOR:
        cause = Cause.DETRACTOR
    wait = {"state": State.OPEN, "withdrawn_reason": "", "cause": cause}
    is_waiting = task.state == State.OPEN and task.first_contact_at is None
    if cause == Cause.DETRACTOR != task.cause and not is_waiting:
        anew = {"started_at": now, "due_at": now + DEADLINE, **dict.fromkeys(BYGONE)}
        follow_up.change(task, "reopen", now, why, **wait, **anew)
    elif task.state == State.WITHDRAWN:
        follow_up.change(task, "reopen", now, why, **wait)
    elif task.state == State.OPEN and cause != task.cause:
        follow_up.change(task, "recast", now, why, cause=cause)


def _can_be_contacted(response: Response) -> bool:
    """Nobody is by old imported answers and anonymous ones: the first are history, the second
    belong to no one we could call."""
    return response.source == Response.Source.INVITED and response.customer_id is not None


def tell_owner_more(
    response: Response, task: OutreachTask | None, now: datetime, *, is_news: bool
) -> None:
    """The customer has added something. What says neither a word nor a wish is not worth another
    mail."""
    if task and task.state == State.OPEN and cause_of(response):
        is_worth_it = is_news and bool(response.comment or response.wants_contact)
        follow_up.tell_more(task, now, is_news=is_worth_it)
