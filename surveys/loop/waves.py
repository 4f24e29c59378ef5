"""Waves that are under way: pause, resume or stop one, and tell how it goes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, QuerySet

from surveys.delivery import breaker, following, openings
from surveys.delivery.hints import hint
from surveys.delivery.outbox import SEND
from surveys.delivery.wanted import WAVE_PAUSED
from surveys.loop.ask import PLAN
from surveys.loop.capacity import LONGEST
from surveys.models import (
    AuditEntry,
    Channel,
    Customer,
    DeliveryEvent,
    Invitation,
    Message,
    Response,
    Survey,
    User,
    Wave,
)

STOPPED = "The wave was stopped."
State = Wave.State
WAITING = (Message.State.QUEUED, Message.State.HELD)
RUNNING = (State.PLANNING, State.LAUNCHED)


class CannotChange(Exception):
    """The wave is not in a state in which that can be done to it."""


@transaction.atomic
def pause(wave: Wave, by: User, now: datetime) -> int:
    """Plan and send nothing more until it is resumed. Returns how many mails are held back.

    Waits for the planner to finish its batch, so that nothing slips through. Raises CannotChange.
    """
    _move(wave, RUNNING, State.PAUSED, "Only a wave that is under way can be paused.")
    return _follow(wave, "pause", _mails(wave).filter(state=Message.State.QUEUED), by, now)


@transaction.atomic
def resume(wave: Wave, by: User, now: datetime) -> int:
    """Go on where it was paused. Returns how many mails are queued again.

    What should have gone out meanwhile goes out when the customer's window next opens, and is then
    valid for as long as any other. Raises CannotChange, also while the survey itself is paused.
    """
    if why := wave.survey.paused_reason:
        raise CannotChange(f"“{wave.survey}” is paused: {why} Resume the survey first.")
    _move(wave, (State.PAUSED,), State.PLANNING, "Only a paused wave can be resumed.")
    queued = _follow(wave, "resume", _held(_mails(wave)), by, now)
    hint(PLAN)
    return queued


@transaction.atomic
def stop(wave: Wave, by: User, now: datetime) -> int:
    """End it for good: nothing more is planned, sent or reminded. Returns how many are cancelled.

    What is sent stays valid and can be answered. Raises CannotChange.
    """
    _move(wave, (*RUNNING, State.PAUSED), State.STOPPED, "Only a launched wave can be stopped.")
    return _follow(wave, "stop", _mails(wave).filter(state__in=WAITING), by, now)


def _follow(wave: Wave, verb: str, mails: QuerySet[Message], by: User, now: datetime) -> int:
    concerned = mails.count()
    AuditEntry.record(verb, wave, now, actor=by, after={"mails": concerned})
    following.begin(wave)
    settle_batch(wave, now)
    return concerned


def settle_batch(wave: Wave, now: datetime) -> int:
    """Let the next mails follow the wave; returns how many invitations were looked at."""
    ids = following.next_batch(wave)
    mails = following.mails_of(ids)
    if wave.state == State.PAUSED:
        waiting = mails.filter(state=Message.State.QUEUED)
        waiting.update(state=Message.State.HELD, last_error=WAVE_PAUSED)
    elif wave.state == State.STOPPED:
        waiting = mails.filter(state__in=WAITING)
        waiting.update(state=Message.State.CANCELLED, last_error=STOPPED)
    else:
        _queue_again(wave, _held(mails), now)
    return len(ids)


def _held(mails: QuerySet[Message]) -> QuerySet[Message]:
    """By a pause of the wave, or of its survey; not what a restored backup holds back."""
    paused = [WAVE_PAUSED, breaker.PAUSED]
    return mails.filter(state=Message.State.HELD, last_error__in=paused)


def _queue_again(wave: Wave, held: QuerySet[Message], now: datetime) -> None:
    if wave.survey.paused_reason:  # since: they go on with the survey
        held.update(last_error=breaker.PAUSED)
        return
    catch_up(wave.survey, wave, held, now)
    held.update(state=Message.State.QUEUED, last_error="")
    hint(SEND)


@transaction.atomic
def spread(wave: Wave, days: int, by: User, now: datetime) -> None:
    """Send a draft over so many days (1-366). Raises CannotChange once it is launched."""
    if not 1 <= days <= LONGEST:
        raise CannotChange(f"A wave can be spread over 1 to {LONGEST} days.")
    if wave.channel == Channel.LINK:
        raise CannotChange("Links are handed over when it suits: nothing is spread.")
    before = wave.spread_days
    draft = Wave.objects.filter(pk=wave.pk, state=State.DRAFT)
    if not draft.update(spread_days=days):
        raise CannotChange("Only a draft can be spread: this wave has been launched.")
    AuditEntry.record(
        "change", wave, now, actor=by,
        before={"spread_days": before}, after={"spread_days": days},
    )  # fmt: skip
    wave.refresh_from_db(fields=["spread_days"])


def _move(wave: Wave, before: tuple[str, ...], after: str, refusal: str) -> None:
    if not Wave.objects.filter(pk=wave.pk, state__in=before).update(state=after):
        raise CannotChange(refusal)
    wave.refresh_from_db(fields=["state"])


def _mails(wave: Wave) -> QuerySet[Message]:
    return Message.objects.filter(invitation__wave=wave, kind__in=Message.OF_A_SURVEY)


def catch_up(survey: Survey, wave: Wave | None, held: QuerySet[Message], now: datetime) -> None:
    """Give every overdue mail the next opening of its customer's window: one round of updates for
    each of the places they live in. An invitation still keeps its distance from its heads-up."""
    overdue = held.filter(next_at__lt=now)
    where = overdue.values_list("invitation__customer__time_zone", "invitation__customer__country")
    for zone, country in list(where.order_by().distinct()):
        here = Customer.objects.filter(time_zone=zone, country=country)
        local = overdue.filter(invitation__customer__in=here)
        opening = openings.opening(survey, Customer(time_zone=zone, country=country), now, wave)
        if wave:
            _announce_before(wave, held, local, opening)
        _send_from(survey, local, opening)


def _announce_before(
    wave: Wave, held: QuerySet[Message], local: QuerySet[Message], at: datetime
) -> None:
    if not wave.heads_up_days:
        return
    late = local.filter(kind=Message.Kind.HEADS_UP, invitation=OuterRef("invitation"))
    later = at + timedelta(days=wave.heads_up_days)
    invitations = held.filter(Exists(late), kind=Message.Kind.INVITATION, next_at__lt=later)
    _send_from(wave.survey, invitations, later)


def _send_from(survey: Survey, mails: QuerySet[Message], at: datetime) -> None:
    first = mails.filter(kind=Message.Kind.INVITATION).values("invitation")
    Invitation.objects.filter(pk__in=first).update(
        send_at=at, expires_at=at + timedelta(days=survey.valid_days)
    )
    mails.update(next_at=at)


@dataclass(frozen=True)
class Progress:
    """Customers of a launched wave, counted. `decided` of `audience` have their decision."""

    audience: int
    decided: int
    decisions: dict[str, int]  # by Invitation.Decision
    throttles: dict[str, int]  # by Invitation.Throttle
    given: int  # links that were handed over
    mails: dict[str, int]  # invitations by Message.State
    bounced: int
    failed: int  # without those that bounced
    reminded: int
    answered: int

    @property
    def waiting(self) -> int:
        return self.mails.get("queued", 0) + self.mails.get("sending", 0)


def progress(wave: Wave) -> Progress:
    """Five queries, however large the wave is."""
    invitations = wave.invitations.order_by()
    counts = invitations.values_list("decision").annotate(Count("pk"), Count("link_given_at"))
    decisions = {decision: count for decision, count, _ in counts}
    throttled = invitations.exclude(throttled_by="")
    first = Message.objects.filter(kind=Message.Kind.INVITATION, invitation__wave=wave).order_by()
    bounces = DeliveryEvent.objects.filter(
        kind=DeliveryEvent.Kind.HARD_BOUNCE, message=OuterRef("pk")
    )
    rows = first.annotate(bounced=Exists(bounces)).values_list("state", "bounced")
    mails: dict[str, int] = {}
    by_bounce = {True: 0, False: 0}
    failed = 0
    for state, bounced, count in rows.annotate(Count("pk")):
        mails[state] = mails.get(state, 0) + count
        by_bounce[bounced] += count
        failed += count if state == Message.State.FAILED and not bounced else 0
    counted = Response.objects.counted().filter(invitation__wave=wave)
    return Progress(
        audience=wave.audience_size or sum(decisions.values()),
        decided=sum(decisions.values()),
        decisions=decisions,
        throttles=dict(throttled.values_list("throttled_by").annotate(Count("pk"))),
        given=sum(given for _, _, given in counts),
        mails=mails,
        bounced=by_bounce[True],
        failed=failed,
        reminded=_mails(wave).filter(kind=Message.Kind.REMINDER, state="sent").count(),
        answered=counted.count(),
    )
