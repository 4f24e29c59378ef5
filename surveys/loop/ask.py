"""Ask: decide for each customer of an audience whether to invite them, and write that down."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef

from surveys.delivery import openings
from surveys.delivery.copying import copy_in, new_ids
from surveys.delivery.hints import hint
from surveys.delivery.outbox import SEND
from surveys.loop import manners, schedule
from surveys.models import (
    AuditEntry,
    Channel,
    Customer,
    Invitation,
    Message,
    NoWording,
    Survey,
    User,
    Wave,
    Wording,
)

BATCH = 1_000
AT_A_TIME = 50_000  # customers, after which other sweeps have their turn
PLAN = "surveys.tasks.plan_waves"
NEEDED = ("email", "language", "time_zone", "country", "account__owner")


class CannotLaunch(Exception):
    """The wave is not a draft any more, or its survey is closed or has no words."""


class SurveyClosed(Exception):
    """The survey is closed: it asks nobody."""


def launch(wave: Wave, by: User, now: datetime) -> Wave:
    """Release a draft: from now on the clock writes its invitations, batch by batch.

    Raises CannotLaunch with a sentence for the person who pressed the button.
    """
    _refuse_launch(wave)
    with transaction.atomic():
        draft = Wave.objects.filter(pk=wave.pk, state=Wave.State.DRAFT)
        if not draft.update(state=Wave.State.PLANNING, launched_at=now, launched_by=by):
            raise CannotLaunch(f"“{wave}” has been launched already.")
        wave.refresh_from_db()
        wave.sample_cut = wave.highest_lot(now)
        wave.audience_size = wave.audience(now).count()
        wave.save(update_fields=["sample_cut", "audience_size"])
        AuditEntry.record("launch", wave, now, actor=by, after={"audience": wave.audience_size})
        hint(PLAN)
    return wave


def _refuse_launch(wave: Wave) -> None:
    if not wave.survey.is_open:
        raise CannotLaunch(f"“{wave.survey}” is closed. Open it again before launching a wave.")
    if why := wave.survey.paused_reason:
        raise CannotLaunch(f"“{wave.survey}” is paused: {why} Resume it before launching a wave.")
    try:
        wave.survey.wording_for(wave.survey.language)
    except NoWording as error:
        raise CannotLaunch(str(error)) from error


def plan(now: datetime, batch: int = BATCH, at_a_time: int = AT_A_TIME) -> int:
    """Write the invitations of every launched wave; returns how many customers were decided on.

    Each batch is one transaction with its checkpoint, so a killed planner is simply run again. The
    waves of a survey that is closed, paused or without words wait until that is put right. No new
    batch is begun after `at_a_time` customers; the next run goes on.
    """
    decided = 0
    while decided < at_a_time and (done := _plan_batch(now, batch)):
        decided += done
    if decided >= at_a_time:
        hint(PLAN)
    return decided


@transaction.atomic
def _plan_batch(now: datetime, batch: int) -> int:
    """Returns how many customers it decided on; the last batch of a wave may be empty."""
    wave = _next_wave()
    if wave is None:
        return 0
    audience = wave.audience(wave.launched_at or now).filter(pk__gt=wave.planned_up_to)
    ids = list(audience.order_by("pk").values_list("pk", flat=True)[:batch])
    if ids:
        customers = lock(ids)
        _write_wave(wave, customers, now)
        wave.planned_up_to = ids[-1]
    if len(ids) < batch:
        wave.state = Wave.State.LAUNCHED
    wave.save(update_fields=["planned_up_to", "dealt", "state"])
    return len(ids)


def _write_wave(wave: Wave, customers: list[Customer], now: datetime) -> None:
    """Whoever is not asked takes no place on a day: the others are dealt out anew."""
    turns = schedule.turns_of(wave)
    planned = schedule.of_wave(wave, customers, now, turns)
    verdicts = manners.judge(wave.survey, customers, planned, wave.channel)
    asked = [one for one in customers if verdicts[one.pk] == manners.ASK]
    if wave.spread_days > 1 and len(asked) < len(customers):
        turns = schedule.turns_of(wave)
        again = schedule.of_wave(wave, asked, now, turns)
        planned |= again
        verdicts |= manners.judge(wave.survey, asked, again, wave.channel)
    wave.dealt = turns.noted()
    _write(
        wave.survey, customers, wave.occasion, now, planned, verdicts,
        channel=wave.channel, wave=wave,
    )  # fmt: skip


def _next_wave() -> Wave | None:
    waves = Wave.objects.select_for_update(skip_locked=True, of=("self",))
    worded = Exists(Wording.objects.filter(survey=OuterRef("survey")))
    ready = waves.filter(
        worded, state=Wave.State.PLANNING, survey__is_open=True, survey__paused_reason=""
    )
    return ready.select_related("survey__family").order_by("launched_at").first()


@transaction.atomic
def invite(
    survey: Survey,
    customers: Iterable[Customer],
    occasion: str,
    now: datetime,
    *,
    product: str = "",
    channel: str = Channel.MAIL,
    by: User | None = None,
) -> list[Invitation]:
    """Decide on each customer once for this occasion, and queue the mails of those who are asked.

    By Channel.LINK nobody is mailed: `hand_over` gives their links to whoever brings them.

    Asking again for the same occasion changes nothing. Returns the invitations of the occasion as
    they now stand. Raises SurveyClosed, NoWording.
    """
    if not survey.is_open:
        raise SurveyClosed(f"“{survey}” is closed: it asks nobody.")
    survey.wording_for(survey.language)
    ids = [customer.pk for customer in customers]
    of_occasion = survey.invitations.filter(occasion=occasion, customer__in=ids)
    rows = lock(ids)
    known = set(of_occasion.values_list("customer_id", flat=True))
    new = [customer for customer in rows if customer.pk not in known]
    if channel == Channel.LINK:
        planned = dict.fromkeys(ids, now)
    else:
        planned = {one.pk: openings.opening(survey, one, now) for one in new}
    verdicts = manners.judge(survey, new, planned, channel)
    _write(survey, new, occasion, now, planned, verdicts, channel=channel, product=product)
    if by:
        _record(of_occasion.filter(customer__in=new), by, now)
    return list(of_occasion)


def _record(invitations: Iterable[Invitation], by: User, now: datetime) -> None:
    for each in invitations:
        AuditEntry.record("ask", each, now, actor=by, after={"decision": each.decision})


def lock(ids: list[int]) -> list[Customer]:
    """The customers, each decided on by one asker at a time: two that do not see each other's
    invitation would both find that nobody has asked lately."""
    rows = Customer.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=ids)
    return list(rows.select_related("account").only(*NEEDED).order_by("pk"))


def _write(
    survey: Survey,
    customers: list[Customer],
    occasion: str,
    now: datetime,
    planned: Mapping[int, datetime],
    verdicts: Mapping[int, manners.Verdict],
    *,
    channel: str = Channel.MAIL,
    wave: Wave | None = None,
    product: str = "",
) -> None:
    """One row for each decision, and the mails of those who are asked."""
    if not customers:
        return
    product = product or (wave.product if wave else "") or survey.product
    ids = new_ids(Invitation, len(customers))
    invitations = [
        Invitation(
            pk=pk,
            survey=survey,
            customer=customer,
            wave=wave,
            occasion=occasion,
            product=product,
            language=customer.language or survey.language,
            decision=verdicts[customer.pk].decision,
            throttled_by=verdicts[customer.pk].throttled_by,
            channel=channel,
            created_at=now,
            send_at=planned[customer.pk],
            expires_at=planned[customer.pk] + timedelta(days=survey.valid_days),
        ).seal()
        for pk, customer in zip(ids, customers, strict=True)
    ]
    copy_in(invitations)
    if channel == Channel.LINK:
        return
    asked = [row for row in invitations if row.decision == Invitation.Decision.ASK]
    copy_in([mail for row in asked for mail in _mails(row, now)])
    hint(SEND)


def _mails(invitation: Invitation, now: datetime) -> Iterable[Message]:
    wave = invitation.wave
    announced = wave and schedule.heads_up(wave, invitation.customer, invitation.send_at, now)
    if announced:
        key = f"heads-up:{invitation.pk}"
        yield _mail(Message.Kind.HEADS_UP, key, invitation, announced, now)
    key = f"invite:{invitation.pk}:0"
    yield _mail(Message.Kind.INVITATION, key, invitation, invitation.send_at, now)


def _mail(
    kind: str, dedupe_key: str, invitation: Invitation, next_at: datetime, now: datetime
) -> Message:
    return Message(
        kind=kind, dedupe_key=dedupe_key, invitation=invitation, next_at=next_at, created_at=now
    )
