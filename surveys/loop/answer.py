"""Answer: one counted response per invitation, every version of it kept.

The first press of a button with a score is the answer; later ones correct it, and the pages after
it add to it. What a machine pressed is kept as well, and changes nothing a person said.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db import transaction
from django.db.models import OuterRef
from django.db.models.functions import JSONObject

from surveys.loop import sort
from surveys.loop.stored import locked, store
from surveys.loop.suspect import signs_of_history, standing
from surveys.models import (
    COMMENT_LENGTH,
    AuditEntry,
    Invitation,
    OutreachTask,
    Response,
    ResponseVersion,
    Sign,
    User,
)

CORRECTABLE_FOR = timedelta(days=14)
Verdict = Response.Verdict
REMEMBERED = ("number", "score", "comment", "verdict", "signs", "recorded_at")
MACHINES = "A machine pressed the buttons of the page."


class CannotAnswer(Exception):
    """The link has expired, or the survey is closed."""


class TooLateToCorrect(Exception):
    """The answer was given more than 14 days ago."""


@dataclass(frozen=True)
class Pressed:
    """What became of a press. With `signs` it was a machine's, and a person is to press again."""

    response: Response
    signs: list[Sign] = field(default_factory=list)
    is_new: bool = False


@dataclass(frozen=True)
class More:
    """What the page after the score asks. `channel` is a ContactChannel, empty: no contact."""

    comment: str = ""
    reasons: Sequence[str] = ()
    channel: str = ""
    time: str = ""


@transaction.atomic
def give(
    invitation: Invitation, score: int, comment: str, now: datetime, by: User | None = None
) -> tuple[Response, bool]:
    """Store a whole answer that somebody vouches for, such as one taken by telephone `by` them.

    Returns the answer and whether it is new: a second one for the same invitation returns the first
    unchanged, unless that was a machine's. Raises CannotAnswer, sort.ScoreOutOfRange.
    """
    given = _given(invitation)
    if given and given.verdict == Verdict.PERSON:
        return given, False
    _refuse_what_is_over(invitation, given, now)
    given = given or _new(invitation, now)
    pressed = take(given, score, now, comment=comment, confirmed=True, finished=True)
    if by:
        AuditEntry.record("answer", pressed.response, now, actor=by, after={"score": score})
    return pressed.response, pressed.is_new


@transaction.atomic
def press(
    invitation: Invitation,
    score: int,
    now: datetime,
    *,
    comment: str | None = None,
    signs: Iterable[Sign] = (),
    seen_at: datetime | None = None,
    confirmed: bool = False,
    finished: bool = False,
) -> Pressed:
    """Store what the button of the page with the scores sent: the answer, sorted and with its task,
    or a correction of it up to 14 days later. No `comment`: the one there was stays.

    `signs` are those that the press itself showed, on a page opened at `seen_at`; earlier presses
    may add some. With any it is kept as a machine's. `confirmed` presses are taken at their word.
    Raises CannotAnswer, TooLateToCorrect, sort.ScoreOutOfRange.
    """
    given = _given(invitation)
    _refuse_what_is_over(invitation, given, now)
    return take(
        given or _new(invitation, now),
        score,
        now,
        comment=comment,
        signs=signs,
        seen_at=seen_at,
        confirmed=confirmed,
        finished=finished,
    )


def take(
    given: Response,
    score: int,
    now: datetime,
    *,
    comment: str | None = None,
    signs: Iterable[Sign] = (),
    seen_at: datetime | None = None,
    confirmed: bool = False,
    finished: bool = False,
) -> Pressed:
    """`press` of an answer that the caller has locked, or that is new and not saved yet."""
    band = sort.band(given.kind, score)
    versions = _history(given)
    found = list(signs)
    if not confirmed:
        found += signs_of_history(versions, score, seen_at, now)
    if given.pk and not found and _says_the_same(given, score, comment):
        return Pressed(given)
    before = sort.cause_of(given) if given.pk else None
    if found:
        _keep_machines(given, versions, score, More(comment or ""), found, before, now)
        return Pressed(given, found)
    is_new = not given.pk or given.verdict == Verdict.MACHINE
    why = "answered" if is_new else f"The customer changed the score from {given.score} to {score}."
    if is_new:
        given.answered_at = now
    given.score, given.band, given.verdict, given.signs = score, band, Verdict.PERSON, []
    given.comment = given.comment if comment is None else comment[:COMMENT_LENGTH]
    given.finished_at = now if finished else None
    task = store(given, _as_it_stands(given, now)).task
    sort.settle(given, task, now, before=before, why=why)
    return Pressed(given, is_new=is_new)


def _refuse_what_is_over(invitation: Invitation, given: Response | None, now: datetime) -> None:
    if given is not None and given.verdict == Verdict.PERSON:
        refuse_late(given, now)
    elif invitation.has_expired(now) or not invitation.survey.is_open:
        raise CannotAnswer("This survey has ended.")


def refuse_late(response: Response, now: datetime) -> None:
    """Raises TooLateToCorrect."""
    if now - response.answered_at > CORRECTABLE_FOR:
        raise TooLateToCorrect("An answer can be changed for 14 days.")


def _new(invitation: Invitation, now: datetime) -> Response:
    survey, customer = invitation.survey, invitation.customer
    return Response(
        survey=survey,
        kind=survey.kind,
        invitation=invitation,
        customer=customer,
        language=invitation.language,
        product=invitation.product,
        segment=customer.current_segment,
        answered_at=now,
    )


def _says_the_same(given: Response, score: int, comment: str | None) -> bool:
    is_same = given.score == score and comment in (None, given.comment)
    return is_same and given.verdict == Verdict.PERSON


def _keep_machines(
    given: Response,
    versions: list[ResponseVersion],
    score: int | None,
    said: More,
    signs: list[Sign],
    before: str | None,
    now: datetime,
) -> None:
    """The answer is a machine's, unless a person had answered before it came. `before` is its cause
    of a task so far."""
    is_persons = given.pk and given.verdict == Verdict.PERSON
    if is_persons and Sign.MANY_SCORES in signs:
        stands = standing(versions, now)
        is_persons = stands is not None
        if stands:
            _say(given, stands.score, stands.comment)
    if not is_persons:
        _say(given, score, said.comment)
        given.verdict, given.signs = Verdict.MACHINE, signs
    task = store(given, _of_machine(score, said, signs, now)).task
    sort.settle(given, task, now, before=before, why=MACHINES)


def _say(given: Response, score: int | None, comment: str) -> None:
    given.score, given.comment = score, comment[:COMMENT_LENGTH]
    given.band = "" if score is None else sort.band(given.kind, score)


@transaction.atomic
def add(response: Response, more: More, now: datetime, signs: Iterable[Sign] = ()) -> Pressed:
    """Store what the page after the score sent, and let the task follow a wish to be contacted.

    What it does not say is taken back. With `signs` it is kept as a machine's, and adds nothing; of
    a machine that goes through many scores, the answer was its own.
    Raises CannotAnswer, TooLateToCorrect.
    """
    response = locked(response)
    if response.source == Response.Source.INVITED and response.customer_id is None:
        raise CannotAnswer("The customer was forgotten.")
    refuse_late(response, now)
    found, before = list(signs), sort.cause_of(response)
    if Sign.MANY_SCORES in found:
        versions = _history(response)
        _keep_machines(response, versions, response.score, more, found, before, now)
        return Pressed(response, found)
    if found:
        store(response, _of_machine(response.score, more, found, now))
        return Pressed(response, found)
    response.comment, response.contact_channel = more.comment[:COMMENT_LENGTH], more.channel
    response.wants_contact, response.contact_time = bool(more.channel), more.time
    response.finished_at = now
    version = _as_it_stands(response, now)
    is_news, task = store(response, version, reasons=more.reasons, if_news=True)
    why = _about_contact(response)
    if not sort.settle(response, task, now, before=before, why=why):
        sort.tell_owner_more(response, task, now, is_news=is_news)
    return Pressed(response)


def _about_contact(response: Response) -> str:
    wish = "would like" if response.wants_contact else "no longer wishes"
    return f"The customer {wish} to be contacted."


@transaction.atomic
def overrule(response: Response, verdict: str, by: User, reason: str, now: datetime) -> Response:
    """A colleague decides whether a person or a machine gave the answer; the task follows.

    `verdict` is one of Response.Verdict. The signs stay: they are what was seen.
    """
    response = locked(response)
    if response.verdict == verdict:
        return response
    before, verdict_before = sort.cause_of(response), response.verdict
    response.verdict = verdict
    response.save(update_fields=["verdict"])
    AuditEntry.record(
        "overrule",
        response,
        now,
        actor=by,
        before={"verdict": verdict_before},
        after={"verdict": verdict},
        reason=reason,
    )
    why = f"{by} judged the answer as given by {response.get_verdict_display().lower()}: {reason}"
    task = OutreachTask.objects.select_for_update().filter(response=response).first()
    sort.settle(response, task, now, before=before, why=why[:200])
    return response


def _lock(invitation: Invitation) -> None:
    """Raises CannotAnswer when the customer was forgotten, and the link cut, since it was found."""
    rows = Invitation.objects.select_for_update().only("pk")
    if not rows.filter(pk=invitation.pk, answer_digest=invitation.answer_digest).first():
        raise CannotAnswer("This link leads nowhere any more.")


def _given(invitation: Invitation) -> Response | None:
    """The answer there is, with its `history`. Two presses at once: the second waits at the lock,
    and finds the first."""
    _lock(invitation)
    of_it = ResponseVersion.objects.filter(response=OuterRef("pk")).order_by("number")
    history = ArraySubquery(of_it.values(said=JSONObject(**{name: name for name in REMEMBERED})))
    rows = Response.objects.select_for_update(of=("self",)).select_related("survey")
    return rows.annotate(history=history).filter(invitation=invitation).first()


def _history(given: Response) -> list[ResponseVersion]:
    """The presses so far, in their order; read with the answer, if it was `_given`."""
    if not given.pk:
        return []
    read: list[dict[str, Any]] | None = getattr(given, "history", None)
    if read is None:
        return list(given.versions.all())
    return [
        ResponseVersion(**said | {"recorded_at": datetime.fromisoformat(said["recorded_at"])})
        for said in read
    ]


def _as_it_stands(response: Response, now: datetime) -> ResponseVersion:
    """What a person has said by now: all of it, also what this press left as it was."""
    return ResponseVersion(
        score=response.score,
        comment=response.comment,
        contact_channel=response.contact_channel,
        contact_time=response.contact_time,
        recorded_at=now,
    )


def _of_machine(
    score: int | None, said: More, signs: Sequence[Sign], now: datetime
) -> ResponseVersion:
    """What a machine has sent, and no more than that."""
    return ResponseVersion(
        score=score,
        comment=said.comment[:COMMENT_LENGTH],
        contact_channel=said.channel,
        contact_time=said.time,
        reasons=list(said.reasons),
        verdict=Verdict.MACHINE,
        signs=list(signs),
        recorded_at=now,
    )
