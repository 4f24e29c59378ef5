"""Answer: one counted response per invitation, every version of it kept."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from surveys.loop import sort
from surveys.models import (
    COMMENT_LENGTH,
    AuditEntry,
    Invitation,
    Response,
    ResponseVersion,
    User,
)

CORRECTABLE_FOR = timedelta(days=14)


class CannotAnswer(Exception):
    """The link has expired, or the survey is closed."""


class TooLateToCorrect(Exception):
    """The answer was given more than 14 days ago."""


@transaction.atomic
def give(invitation: Invitation, score: int, comment: str, now: datetime) -> tuple[Response, bool]:
    """Store the customer's answer, sort it, and open its task, in one transaction.

    Returns the answer and whether it is new: a second one for the same invitation returns the first
    unchanged. Raises CannotAnswer, sort.ScoreOutOfRange.
    """
    _lock(invitation)  # two presses of the button at once: the second waits, and finds the first
    if given := Response.objects.filter(invitation=invitation).first():
        return given, False
    if invitation.has_expired(now) or not invitation.survey.is_open:
        raise CannotAnswer("This survey has ended.")
    survey, customer = invitation.survey, invitation.customer
    response = Response.objects.create(
        survey=survey,
        kind=survey.kind,
        invitation=invitation,
        customer=customer,
        score=score,
        band=sort.band(survey.kind, score),
        comment=comment[:COMMENT_LENGTH],
        language=invitation.language,
        product=invitation.product,
        segment=customer.current_segment,
        answered_at=now,
    )
    _keep_version(response, 1, now)
    sort.settle(response, now, was_detractor=False, why="answered")
    return response, True


@transaction.atomic
def correct(response: Response, score: int, comment: str, now: datetime) -> Response:
    """Replace score and comment, up to 14 days after the answer; the task follows.

    Raises TooLateToCorrect, sort.ScoreOutOfRange.
    """
    response = Response.objects.select_for_update().get(pk=response.pk)
    if now - response.answered_at > CORRECTABLE_FOR:
        raise TooLateToCorrect("An answer can be changed for 14 days.")
    new_band = sort.band(response.kind, score)
    comment = comment[:COMMENT_LENGTH]
    if (response.score, response.comment) == (score, comment):
        return response
    was_detractor, before = response.is_counted_detractor, response.score
    response.score, response.band, response.comment = score, new_band, comment
    response.save(update_fields=["score", "band", "comment"])
    _keep_version(response, response.versions.count() + 1, now)
    why = f"The customer changed the score from {before} to {score}."
    sort.settle(response, now, was_detractor=was_detractor, why=why)
    return response


@transaction.atomic
def overrule(response: Response, verdict: str, by: User, reason: str, now: datetime) -> Response:
    """A colleague decides whether a person or a machine gave the answer; the task follows.

    `verdict` is one of Response.Verdict.
    """
    response = Response.objects.select_for_update().get(pk=response.pk)
    if response.verdict == verdict:
        return response
    was_detractor, before = response.is_counted_detractor, response.verdict
    response.verdict = verdict
    response.save(update_fields=["verdict"])
    AuditEntry.record(
        "overrule",
        response,
        now,
        actor=by,
        before={"verdict": before},
        after={"verdict": verdict},
        reason=reason,
    )
    why = f"{by} judged the answer as given by {response.get_verdict_display().lower()}: {reason}"
    sort.settle(response, now, was_detractor=was_detractor, why=why[:200])
    return response


def _lock(invitation: Invitation) -> None:
    Invitation.objects.select_for_update().only("pk").get(pk=invitation.pk)


def _keep_version(response: Response, number: int, now: datetime) -> None:
    ResponseVersion.objects.create(
        response=response,
        number=number,
        score=response.score,
        comment=response.comment,
        recorded_at=now,
    )
