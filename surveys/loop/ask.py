"""Ask: decide for each customer of an audience whether to invite them, and write that down."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction

from surveys.delivery.hints import hint
from surveys.delivery.outbox import post_many
from surveys.models import (
    AuditEntry,
    Customer,
    Invitation,
    Message,
    NoWording,
    Suppression,
    Survey,
    User,
    Wave,
)

BATCH = 1_000
PLAN = "surveys.tasks.plan_waves"


class CannotLaunch(Exception):
    """The wave is not a draft any more, or its survey is closed or has no words."""


class SurveyClosed(Exception):
    """The survey is closed: it asks nobody."""


def launch(wave: Wave, by: User, now: datetime) -> Wave:
    """Release a draft: from now on the clock writes its invitations, batch by batch.

    Raises CannotLaunch with a sentence for the person who pressed the button.
    """
    if not wave.survey.is_open:
        raise CannotLaunch(f"“{wave.survey}” is closed. Open it again before launching a wave.")
    try:
        wave.survey.wording_for(wave.survey.language)
    except NoWording as error:
        raise CannotLaunch(str(error)) from error
    with transaction.atomic():
        draft = Wave.objects.filter(pk=wave.pk, state=Wave.State.DRAFT)
        if not draft.update(state=Wave.State.PLANNING, launched_at=now, launched_by=by):
            raise CannotLaunch(f"“{wave}” has been launched already.")
        wave.refresh_from_db()
        AuditEntry.record(
            "launch", wave, now, actor=by, after={"audience": wave.audience().count()}
        )
        hint(PLAN)
    return wave


def plan(now: datetime, batch: int = BATCH) -> int:
    """Write the invitations of every launched wave; returns how many customers were decided on.

    Each batch is one transaction with its checkpoint, so a killed planner is simply run again.
    """
    decided = 0
    while done := _plan_batch(now, batch):
        decided += done
    return decided


@transaction.atomic
def _plan_batch(now: datetime, batch: int) -> int:
    waves = Wave.objects.select_for_update(skip_locked=True, of=("self",)).select_related("survey")
    wave = waves.filter(state=Wave.State.PLANNING).order_by("launched_at").first()
    if wave is None:
        return 0
    audience = wave.audience().filter(pk__gt=wave.planned_up_to).order_by("pk")
    customers = list(audience.select_related("account")[:batch])
    if customers:
        product = wave.product or wave.survey.product
        invite(wave.survey, customers, wave.occasion, now, wave=wave, product=product)
        wave.planned_up_to = customers[-1].pk
    if len(customers) < batch:
        wave.state = Wave.State.LAUNCHED
    wave.save(update_fields=["planned_up_to", "state"])
    return len(customers)


@transaction.atomic
def invite(
    survey: Survey,
    customers: Iterable[Customer],
    occasion: str,
    now: datetime,
    *,
    wave: Wave | None = None,
    product: str = "",
) -> list[Invitation]:
    """Decide on each customer once for this occasion, and queue the mails of those who are asked.

    Asking again for the same occasion changes nothing. Returns the invitations of the occasion as
    they now stand. Raises SurveyClosed, NoWording.
    """
    if not survey.is_open:
        raise SurveyClosed(f"“{survey}” is closed: it asks nobody.")
    survey.wording_for(survey.language)
    customers = list(customers)
    suppressed = Suppression.among((c.email for c in customers if c.email), survey)
    Invitation.objects.bulk_create(
        [
            Invitation(
                survey=survey,
                customer=customer,
                wave=wave,
                occasion=occasion,
                product=product or survey.product,
                language=customer.language or survey.language,
                decision=_decide(customer, suppressed),
                created_at=now,
                expires_at=now + timedelta(days=survey.valid_days),
            ).seal()
            for customer in customers
        ],
        ignore_conflicts=True,
    )
    invitations = survey.invitations.filter(occasion=occasion, customer__in=customers)
    post_many([_mail(asked, now) for asked in invitations.filter(decision=Invitation.Decision.ASK)])
    return list(invitations)


def _decide(customer: Customer, suppressed: set[str]) -> str:
    if not customer.email:
        return Invitation.Decision.NO_ADDRESS
    if customer.email in suppressed:
        return Invitation.Decision.SUPPRESSED
    return Invitation.Decision.ASK


def _mail(invitation: Invitation, now: datetime) -> Message:
    return Message(
        kind=Message.Kind.INVITATION,
        dedupe_key=f"invite:{invitation.pk}:0",
        invitation=invitation,
        next_at=now,
        created_at=now,
    )
