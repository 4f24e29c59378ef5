"""Happen: a customer lived through something elsewhere, and is asked about it a while later."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from surveys.loop import ask
from surveys.models import Customer, Event, NoWording, Trigger

LATEST = timedelta(days=7)  # after its time an ask would only puzzle: a backfill asks nobody
BATCH = 1_000  # events a sweep decides on
REOPENED = ".reopened"  # what happenings end in that take back the end of something

log = logging.getLogger(__name__)


class Contradiction(Exception):
    """The event is known by this id, and something else was told of it."""


@transaction.atomic
def happen(
    source: str,
    external_id: str,
    happening: str,
    customer: Customer,
    product: str,
    happened_at: datetime | None,
    now: datetime,
    *,
    subject: str = "",
) -> tuple[Event, bool]:
    """Store what happened, once, and when to ask about it. Returns the event; True if it is new.

    `happened_at` is aware; None means just now. `subject` names what it happened to, such as
    "ticket:4711": when that is reopened, or happens again, before it was asked about, the earlier
    event is not asked about any more. Raises Contradiction.
    """
    if subject:
        _lock_customer(pk=customer.pk)
    told = {
        "happening": happening,
        "customer": customer,
        "product": product,
        "subject": subject,
    }
    event, is_new = Event.objects.get_or_create(
        source=source,
        external_id=external_id,
        defaults={**told, **_plan(source, told, happened_at or now, now)},
    )
    if is_new:
        _supersede(event, now)
    else:
        _refuse_other(event, told, happened_at)
    return event, is_new


def _lock_customer(**which: int) -> None:
    """One at a time about one customer: two events of a ticket would not see each other. Always
    before an event is locked; in the other order two could wait for each other."""
    list(Customer.objects.select_for_update(of=("self",), no_key=True).filter(**which))


def _refuse_other(event: Event, told: dict, happened_at: datetime | None) -> None:
    if happened_at is not None:
        told = {**told, "happened_at": happened_at}
    other = [name for name, value in told.items() if getattr(event, name) != value]
    if other:
        raise Contradiction(
            f"{event.source} {event.external_id} is stored with another {' and '.join(other)}. "
            "Give each event an id of its own."
        )


def _plan(source: str, told: dict, happened_at: datetime, now: datetime) -> dict:
    """Which trigger fits, when it asks, and why it does not."""
    trigger = fitting(source, told["happening"], told["product"])
    due = happened_at + timedelta(hours=trigger.delay_hours) if trigger else None
    outcome = Event.Outcome.WAITING
    if due is None:
        outcome = Event.Outcome.NO_TRIGGER
    elif due + LATEST < now:
        outcome = Event.Outcome.TOO_LATE
    elif _is_overtaken(source, told, happened_at):
        outcome = Event.Outcome.SUPERSEDED
    return {
        "trigger": trigger,
        "ask_at": max(due, now) if due else None,
        "outcome": outcome,
        "decided_at": None if outcome == Event.Outcome.WAITING else now,
        "happened_at": happened_at,
        "received_at": now,
    }


def fitting(source: str, happening: str, product: str) -> Trigger | None:
    """The active trigger for it: one for this product before one for any, then the oldest."""
    active = Trigger.objects.filter(source=source, happening=happening, is_active=True)
    return active.filter(product__in={"", product}).order_by("-product", "pk").first()


def _is_overtaken(source: str, told: dict, happened_at: datetime) -> bool:
    """Whether what came later was told first."""
    later = Event.objects.filter(source=source, subject=told["subject"])
    again = Q(happening=told["happening"]) | Q(happening__endswith=REOPENED)
    return bool(told["subject"]) and later.filter(again, happened_at__gt=happened_at).exists()


def _supersede(event: Event, now: datetime) -> None:
    if not event.subject:
        return
    earlier = Event.objects.waiting().filter(
        source=event.source, subject=event.subject, happened_at__lte=event.happened_at
    )
    if not event.happening.endswith(REOPENED):
        earlier = earlier.filter(happening=event.happening)
    earlier.exclude(pk=event.pk).update(outcome=Event.Outcome.SUPERSEDED, decided_at=now)


def ask_after_events(now: datetime) -> int:
    """Decide on the events whose time has come; returns how many. Those of a paused survey wait.

    Each is a transaction of its own, so that one that cannot be decided on keeps up no other.
    """
    resumed = Q(trigger=None) | Q(trigger__survey__paused_reason="")
    due = Event.objects.waiting().filter(resumed, ask_at__lte=now).order_by("ask_at")
    return sum(_decided(pk, now) for pk in list(due.values_list("pk", flat=True)[:BATCH]))


def _decided(pk: int, now: datetime) -> bool:
    try:
        return _decide(pk, now)
    except Exception:
        log.exception("event %s could not be decided on; it is tried again", pk)
        return False


@transaction.atomic
def _decide(pk: int, now: datetime) -> bool:
    _lock_customer(events=pk)
    rows = Event.objects.waiting().select_for_update(skip_locked=True, of=("self",))
    event = rows.select_related("customer__account", "trigger__survey").filter(pk=pk).first()
    if event is None:
        return False
    event.outcome, event.decided_at = _ask(event, now), now
    event.save(update_fields=["outcome", "decided_at", "invitation"])
    return True


def _ask(event: Event, now: datetime) -> str:
    """Invite the customer, or say why this event asks nobody; the invitation says the rest."""
    trigger = event.trigger
    if trigger is None or not trigger.is_active:
        return Event.Outcome.NO_TRIGGER
    if event.ask_at is None or event.ask_at + LATEST < now:
        return Event.Outcome.TOO_LATE
    occasion = f"event:{event.source}:{event.external_id}"
    try:
        [event.invitation] = ask.invite(
            trigger.survey, [event.customer], occasion, now, product=event.product
        )
    except ask.SurveyClosed:
        return Event.Outcome.SURVEY_CLOSED
    except NoWording:
        return Event.Outcome.NO_WORDING
    return Event.Outcome.DECIDED
