"""Give links: hand a customer's personal link to somebody who brings it by other means than ours,
such as a text message, a chat, a letter, or a visit."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from itertools import islice

from django.db import transaction
from django.db.models import Q

from surveys.loop import ask, manners
from surveys.models import AuditEntry, Channel, Customer, Invitation, Survey, User, Wave
from surveys.models.invitations import Invitations

BATCH = 1_000
Decision = Invitation.Decision
NOT_REACHED_BY_MAIL = (Decision.NO_ADDRESS, Decision.SUPPRESSED)
HALTED = (Wave.State.PAUSED, Wave.State.STOPPED)


@transaction.atomic
def for_customer(
    survey: Survey,
    customer: Customer,
    by: User,
    now: datetime,
    *,
    occasion: str = "",
    product: str = "",
) -> tuple[Invitation, bool]:
    """The customer's invitation to `survey`, and whether it was decided on just now.

    Without an occasion, the one that they can still answer, however they were asked; else one a day
    (UTC). The decision is a row like any other: who has opted out or was asked lately gets no link,
    and the row says so. Raises ask.SurveyClosed, NoWording.
    """
    ask.lock([customer.pk])
    known = None if occasion else _answerable(survey, customer, now)
    if known is None:
        occasion = occasion or f"link:{now:%Y-%m-%d}"
        [known] = ask.invite(
            survey, [customer], occasion, now, product=product, channel=Channel.LINK, by=by
        )
    is_new = known.created_at == now
    was_given = known.link_given_at
    give([known], by, now)
    known.refresh_from_db()
    if known.link_given_at and not was_given:
        AuditEntry.record("give links", known, now, actor=by)
    return known, is_new


def _answerable(survey: Survey, customer: Customer, now: datetime) -> Invitation | None:
    return can_be_given(survey.invitations.filter(customer=customer), now).first()


def can_be_given(invitations: Invitations, now: datetime) -> Invitations:
    """Of these, the ones whose link leads to a form: asked, open, and no person has answered."""
    answered = Q(response__verdict="person")
    return invitations.filter(
        decision=Decision.ASK,
        expires_at__gt=now,
        survey__is_open=True,
        customer__forgotten_at=None,
    ).exclude(answered | Q(wave__state__in=HALTED))


def in_batches(invitations: Invitations, by: User, now: datetime) -> Iterator[Invitation]:
    """Give the links of a selection, however long: each batch is a transaction of its own, and
    giving the same links again changes nothing. Yields those whose links may be handed over."""
    ids = invitations.order_by("pk").values_list("pk", flat=True).iterator()
    while batch := list(islice(ids, BATCH)):
        rows = Invitation.objects.filter(pk__in=batch).select_related("survey__family", "customer")
        yield from give(rows.order_by("pk"), by, now)


@transaction.atomic
def give(invitations: Collection[Invitation] | Invitations, by: User, now: datetime) -> Invitations:
    """Note that these links were given away, the first time it happens; the links that may be.

    Who could not be asked for want of an address that mails arrive at is decided on again, as no
    mail is needed now. A link of a wave is good for as long as a mail of that day would be.
    """
    rows = list(invitations)
    _decide_again([row for row in rows if row.decision in NOT_REACHED_BY_MAIL], by, now)
    ids = [row.pk for row in rows]
    given = can_be_given(Invitation.objects.filter(pk__in=ids), now)
    first = Invitation.objects.filter(pk__in=given.values("pk"), link_given_at=None)
    for valid_days, survey in {(row.survey.valid_days, row.survey_id) for row in rows}:
        first.filter(survey=survey, channel=Channel.LINK).update(
            link_given_at=now, send_at=now, expires_at=now + timedelta(days=valid_days)
        )
    first.update(link_given_at=now)
    found = given.select_related("survey__family", "customer__account__owner", "wave")
    return found.order_by("pk")


def _decide_again(rows: list[Invitation], by: User, now: datetime) -> None:
    ask.lock([row.customer_id for row in rows])
    for row in rows:
        is_halted = not row.survey.is_open or (row.wave and row.wave.state in HALTED)
        if is_halted or row.customer.forgotten_at:
            continue
        before = row.decision
        planned = {row.customer_id: now}
        verdict = manners.judge(row.survey, [row.customer], planned, Channel.LINK)[row.customer_id]
        if verdict.decision == before:
            continue
        row.decision, row.throttled_by = verdict
        row.channel = Channel.LINK
        row.save(update_fields=["decision", "throttled_by", "channel"])
        AuditEntry.record(
            "decide",
            row,
            now,
            actor=by,
            before={"decision": before},
            after={"decision": row.decision, "channel": row.channel},
            reason="Its link is handed over, so no e-mail address is needed.",
        )
