"""The circuit breaker: a survey that bounces too much, or annoys, is paused before it harms more.

Mail providers close accounts above about 5 % bounces or 0.1 % complaints (the limits that Amazon
SES and Google publish for senders).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from surveys.delivery import following
from surveys.delivery.outbox import post
from surveys.models import AuditEntry, DeliveryEvent, Message, Role, Survey, User

State = Message.State
COUNTED = (Message.Kind.INVITATION, Message.Kind.REMINDER)
PAUSED = "Held back: the survey is paused."


@dataclass(frozen=True)
class Limit:
    """More than `share` of the last `window` mails, once `least_sent` and `least_bad` are met."""

    share: float
    window: int
    least_sent: int
    least_bad: int
    what: str


LIMITS: dict[str, Limit] = {
    DeliveryEvent.Kind.HARD_BOUNCE: Limit(0.05, 500, 100, 1, "bounced"),
    DeliveryEvent.Kind.COMPLAINT: Limit(0.001, 5_000, 1, 3, "drew spam complaints"),
}


def check(survey: Survey, kind: str, now: datetime) -> bool:
    """After a report of `kind` (of DeliveryEvent.Kind): pause `survey` if that is one too many.

    Returns whether it was paused just now. Call it in the transaction that stored the report.
    """
    limit = LIMITS.get(kind)
    if limit is None:
        return False
    survey = Survey.objects.get(pk=survey.pk)  # the caller's may be as old as its batch
    if survey.paused_reason:
        return False
    bad, counted = latest(survey, kind, limit)
    if counted < limit.least_sent or bad < limit.least_bad or bad <= limit.share * counted:
        return False
    return _pause(survey, f"{bad} of the last {counted:,} mails {limit.what}.", now)


def latest(survey: Survey, kind: str, limit: Limit) -> tuple[int, int]:
    """Of a survey's last `limit.window` mails: how many were reported as `kind`, and of how many.

    A mail that the server refused was never sent; it counts by the time of its refusal. What
    happened before a person resumed the survey is forgiven.
    """
    reported = DeliveryEvent.objects.filter(survey=survey, kind=kind)
    sent = Message.objects.filter(
        kind__in=COUNTED, state=State.SENT, invitation__survey=survey
    ).order_by("-sent_at")
    if survey.resumed_at:
        reported = reported.filter(at__gt=survey.resumed_at)
        sent = sent.filter(sent_at__gt=survey.resumed_at)
    if reported.count() < limit.least_bad:
        return 0, 0
    window = list(sent.values_list("pk", "sent_at")[: limit.window])
    since = window[-1][1] if window else None
    refused = reported.filter(Q(message__sent_at=None), *([Q(at__gte=since)] if since else []))
    bounced_later = reported.filter(message__in=[pk for pk, _ in window])
    never_sent = refused.values("message").distinct().count()
    bad = bounced_later.values("message").distinct().count() + never_sent
    return bad, min(limit.window, len(window) + never_sent)


def hold(survey: Survey) -> int:
    """Keep the survey's waiting mails back, the first few thousand at once; returns how many."""
    mails = Message.objects.filter(invitation__survey=survey, kind__in=Message.OF_A_SURVEY)
    concerned = mails.filter(state=State.QUEUED).count()
    following.begin(survey)
    hold_batch(survey)
    return concerned


def hold_batch(survey: Survey) -> int:
    """Go on with it; returns how many invitations were looked at."""
    ids = following.next_batch(survey)
    waiting = following.mails_of(ids).filter(state=State.QUEUED)
    waiting.update(state=State.HELD, last_error=PAUSED)
    return len(ids)


def held(mails: QuerySet[Message]) -> QuerySet[Message]:
    """Of these, what `hold` kept back, but for waves that a person paused or stopped as well."""
    mails = mails.filter(state=State.HELD, last_error=PAUSED)
    return mails.exclude(invitation__wave__state__in=["paused", "stopped"])


def _pause(survey: Survey, reason: str, now: datetime) -> bool:
    running = Survey.objects.filter(pk=survey.pk, paused_reason="")
    if not running.update(paused_reason=reason):
        return False
    survey.paused_reason = reason
    kept = hold(survey)
    AuditEntry.record("pause", survey, now, after={"mails held back": kept}, reason=reason)
    _alarm(survey, now)
    return True


def _alarm(survey: Survey, now: datetime) -> None:
    concerned = User.objects.filter(
        is_active=True, role__in=[Role.ADMINISTRATOR, Role.PROGRAM_MANAGER]
    )
    occasion = f"{survey.pk}:{now.isoformat()}"
    for user in concerned:
        key = f"alarm:paused:{occasion}:{user.pk}"
        post(Message.Kind.ALARM, key, now, survey=survey, user=user)
