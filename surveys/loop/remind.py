"""Remind: ask once more those who have not answered, up to five times, and never after they did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import CharField, Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat

from surveys.delivery import openings
from surveys.delivery.outbox import post_many
from surveys.delivery.wanted import NO_ADDRESS, NOT_ASKED
from surveys.models import (
    AuditEntry,
    Customer,
    Invitation,
    Message,
    Reminder,
    Response,
    Suppression,
    Survey,
    User,
    Wave,
)
from surveys.models.reminders import MOST

BATCH = 1_000
APART = timedelta(hours=24)  # at least, between two mails about one invitation
WAITING = (Message.State.QUEUED, Message.State.SENDING, Message.State.HELD, Message.State.IN_DOUBT)
QUIET = (Wave.State.PAUSED, Wave.State.STOPPED)


class CannotRemind(Exception):
    """The wave is not under way, or its survey is closed or paused."""


def remind(now: datetime) -> int:
    """Queue every reminder that has become due; returns how many. Running it again adds none."""
    running = Reminder.objects.filter(survey__is_open=True, survey__paused_reason="")
    return sum(_queue_due(reminder, now) for reminder in running.select_related("survey"))


def _queue_due(reminder: Reminder, now: datetime) -> int:
    sent = Message.objects.filter(
        invitation=OuterRef("pk"),
        kind=Message.Kind.INVITATION,
        sent_at__lte=now - timedelta(days=reminder.after_days),
    )
    key = Concat(Value("remind:"), Cast(OuterRef("pk"), CharField()), Value(f":{reminder.number}"))
    reminded = Message.objects.filter(dedupe_key=key)
    due = unanswered(reminder.survey.invitations.all(), now).filter(Exists(sent), ~Exists(reminded))
    survey = reminder.survey
    return sum(
        _queue([(row, reminder.number) for row in batch], survey, {reminder.number: reminder}, now)
        for batch in _batches(due)
    )


def unanswered(invitations: QuerySet[Invitation], now: datetime) -> QuerySet[Invitation]:
    """Of these, those that a reminder may follow: sent, open, not answered by a person, and with
    no other mail under way or sent within 24 hours."""
    mails = Message.objects.filter(
        invitation=OuterRef("pk"), kind__in=[Message.Kind.INVITATION, Message.Kind.REMINDER]
    )
    too_soon = mails.filter(Q(state__in=WAITING) | Q(sent_at__gt=now - APART))
    sent = mails.filter(kind=Message.Kind.INVITATION, state=Message.State.SENT)
    answered = Response.objects.counted().filter(invitation=OuterRef("pk"))
    open_ones = invitations.filter(decision=Invitation.Decision.ASK, expires_at__gt=now)
    return open_ones.filter(Exists(sent), ~Exists(answered), ~Exists(too_soon)).exclude(
        wave__state__in=QUIET
    )


def remind_wave(wave: Wave, by: User, now: datetime) -> int:
    """Remind everybody of the wave who has not answered, at the next opening of their window.

    Nobody is reminded more than five times, automatic reminders counted. Returns how many are
    reminded. Raises CannotRemind.
    """
    _refuse(wave)
    reminders = {reminder.number: reminder for reminder in wave.survey.reminders.all()}
    told: Counter[str] = Counter()
    for batch in _batches(unanswered(wave.invitations.all(), now)):
        numbered = [(row, number) for row, number in _next_numbers(batch) if number <= MOST]
        queued = _queue(numbered, wave.survey, reminders, now)
        told["reminded"] += queued
        told["may not be written to"] += len(numbered) - queued
        told["reminded five times already"] += len(batch) - len(numbered)
    AuditEntry.record("remind", wave, now, actor=by, after={"reminded": 0, **+told})
    return told["reminded"]


def _refuse(wave: Wave) -> None:
    if wave.state not in (Wave.State.PLANNING, Wave.State.LAUNCHED):
        raise CannotRemind("Only a wave that is under way can be reminded of.")
    if not wave.survey.is_open:
        raise CannotRemind(f"“{wave.survey}” is closed.")
    if why := wave.survey.paused_reason:
        raise CannotRemind(f"“{wave.survey}” is paused: {why}")


def _next_numbers(batch: list[Invitation]) -> list[tuple[Invitation, int]]:
    """Each invitation with the number that its next reminder has."""
    keys = Message.objects.filter(invitation__in=batch, kind=Message.Kind.REMINDER)
    last: dict[int | None, int] = {}
    for pk, key in keys.values_list("invitation_id", "dedupe_key"):
        last[pk] = max(last.get(pk, 0), int(key.rpartition(":")[2]))
    return [(row, last.get(row.pk, 0) + 1) for row in batch]


@transaction.atomic
def _queue(
    numbered: list[tuple[Invitation, int]],
    survey: Survey,
    reminders: dict[int, Reminder],
    now: datetime,
) -> int:
    """One row for each; who may not be written to any more gets a cancelled one with the reason."""
    addresses = [row.customer.email for row, _ in numbered if row.customer.email]
    suppressed = Suppression.among(addresses, survey)
    mails = []
    for row, number in numbered:
        why_not = _why_not(row.customer, suppressed)
        mails.append(
            Message(
                kind=Message.Kind.REMINDER,
                dedupe_key=f"remind:{row.pk}:{number}",
                invitation=row,
                reminder=reminders.get(number),
                state=Message.State.CANCELLED if why_not else Message.State.QUEUED,
                last_error=why_not,
                next_at=openings.opening(survey, row.customer, now),
                created_at=now,
            )
        )
    post_many(mails)
    return sum(mail.state == Message.State.QUEUED for mail in mails)


def _why_not(customer: Customer, suppressed: Collection[str]) -> str:
    if not customer.email:
        return NO_ADDRESS
    return NOT_ASKED if customer.email in suppressed else ""


def _batches(invitations: QuerySet[Invitation]) -> Iterable[list[Invitation]]:
    rows = invitations.select_related("customer").order_by("pk")
    last = 0
    while batch := list(rows.filter(pk__gt=last)[:BATCH]):
        yield batch
        last = batch[-1].pk
