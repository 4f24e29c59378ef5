"""Forget: nobody can tell any more whose answers these were. What was counted stays counted.

Gone: name, addresses, ids and properties, every word the customer wrote and every word we wrote
about them, mails that came in, links that were sent. What stays: score, month, survey, product,
segment and language; who contacted whom in time; and a keyed hash of the address, so that it is
not written to again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Model, Q, QuerySet
from django.utils import timezone

from surveys.delivery import doubt
from surveys.models import (
    AuditEntry,
    Customer,
    CustomerProperty,
    DeliveryEvent,
    Erasure,
    Event,
    InboundMail,
    Invitation,
    Message,
    OutreachTask,
    Response,
    ResponseVersion,
    Suppression,
    User,
)
from surveys.models.invitations import new_seed

ERASED = "(erased)"
WITHDRAWN = "The customer was forgotten before anybody reached them."
State = Message.State
Cause = Erasure.Cause


@transaction.atomic
def forget(
    customer: Customer,
    by: User | None,
    reason: str,
    now: datetime,
    cause: str = Cause.COLLEAGUE,
    link: Invitation | None = None,
) -> Erasure:
    """Forget everything that says who the customer is, in one transaction, for good.

    `cause` is one of Erasure.Cause; `by` is the colleague, if one did it, and `link` the invitation
    by whose link the customer did. Forgetting twice changes nothing. A mail that is being sent
    either had reached the server before, or is not sent.
    """
    customer = locked(customer)
    if customer.forgotten_at:
        return customer.erasure
    for signpost in customer.signposts.all():  # of their other records, which were merged
        forget(signpost, by, reason, now, cause)
    if link:
        doubt.link_used(link)
    if customer.email:
        Suppression.add(customer.email, Suppression.Reason.FORGOTTEN, now)
    erasure = Erasure.objects.create(
        customer=customer,
        address_digest=Suppression.hash(customer.email) if customer.email else None,
        cause=cause,
        by=by,
        reason=_without(customer, reason)[:200],
        at=now,
    )
    _redact_audit(customer, erasure)
    _cut_links(customer)
    empty(customer.responses.all())
    _end_tasks(customer, now)
    _stop_mails(customer)
    _drop_rows(customer)
    _blank(customer, now)
    AuditEntry.record("forget", customer, now, actor=by, reason=erasure.reason)
    return erasure


def month_of(at: datetime) -> datetime:
    """The first instant of its month, where the company is."""
    here = timezone.localtime(at, timezone.get_default_timezone())
    return here.replace(day=1, hour=0, minute=0, second=0, microsecond=0, fold=0).astimezone(UTC)


def locked(customer: Customer) -> Customer:
    """Everything that other verbs lock, in the order in which they do, so that nobody who is
    answering, calling or sending at this moment adds what is not seen here."""
    mine = _mails_about(customer).order_by("pk").values_list("pk", flat=True)
    list(Message.objects.select_for_update(of=("self",)).filter(pk__in=list(mine)).order_by("pk"))
    fresh = Customer.objects.select_for_update(of=("self",), no_key=True).get(pk=customer.pk)
    for rows in (fresh.invitations, fresh.responses, fresh.tasks):
        list(rows.select_for_update(of=("self",)).order_by("pk").values_list("pk", flat=True))
    return fresh


def _mails_about(customer: Customer) -> QuerySet[Message]:
    """To the customer, and to colleagues about them."""
    return Message.objects.filter(Q(invitation__customer=customer) | Q(task__customer=customer))


def _without(customer: Customer, reason: str) -> str:
    """The reason, if it names the customer: without the name."""
    said = [customer.name, customer.email, customer.phone, customer.external_id]
    words = [*filter(None, said), *re.findall(r"\w{3,}", customer.name)]
    if not words:
        return reason
    named = "|".join(map(re.escape, sorted(words, key=len, reverse=True)))
    return re.sub(named, "…", reason, flags=re.IGNORECASE)


def _redact_audit(customer: Customer, erasure: Erasure) -> None:
    """Who did what when stays; what it said goes, in favour of the erasure that asked for it."""
    about = Q(noun="customer", noun_id=customer.pk)
    rows: dict[str, Any] = {
        "invitation": customer.invitations,
        "response": customer.responses,
        "outreachtask": customer.tasks,
        "event": customer.events,
        "message": _mails_about(customer),
    }
    for noun, its in rows.items():
        about |= Q(noun=noun, noun_id__in=list(its.values_list("pk", flat=True)))
    AuditEntry.objects.filter(about).redact(erasure)


def _cut_links(customer: Customer) -> None:
    """New seeds: every link in every mailbox leads nowhere from now on. When and on which occasion
    they were asked goes, as a ticket's number or a minute may say who it was."""
    for asked in customer.invitations.all():
        asked.seed, asked.occasion = new_seed(), f"forgotten:{asked.pk}"
        asked.created_at, asked.send_at = month_of(asked.created_at), month_of(asked.send_at)
        asked.expires_at, asked.link_given_at = asked.created_at, None
        asked.save()
        asked.visits.all().delete()


@transaction.atomic
def empty(rows: Iterable[Response]) -> None:
    """Leave score and month of these answers, and nothing that anybody wrote."""
    answers = list(rows)
    ResponseVersion.objects.filter(response__in=answers).delete()
    for answer in answers:
        answer.reasons.all().delete()
        answer.comment = answer.contact_channel = answer.contact_time = ""
        answer.customer = answer.external_id = answer.finished_at = None
        answer.wants_contact = False
        answer.answered_at = month_of(answer.answered_at)
        answer.save()


def _end_tasks(customer: Customer, now: datetime) -> None:
    """A task whose 72 hours are over stays a miss or a hit, or forgetting would flatter the rate;
    one that nobody had to have finished yet is withdrawn."""
    for task in customer.tasks.all():
        if task.state == OutreachTask.State.OPEN:
            decided = task.first_contact_at or task.due_at <= now
            task.state = OutreachTask.State.FORGOTTEN if decided else OutreachTask.State.WITHDRAWN
            task.withdrawn_reason = "" if decided else WITHDRAWN
        elif task.withdrawn_reason:
            task.withdrawn_reason = ERASED
        task.action = task.action and ERASED
        task.version += 1
        _move(task, month_of(task.started_at) - task.started_at)


def _move(task: OutreachTask, by: timedelta) -> None:
    """To the beginning of its month, with all that followed: how long it took stays."""
    task.snoozed_until, task.snooze_reason = None, ""
    _shift(task, by, "started_at", "due_at", "first_contact_at", "closed_at")
    _shift(task, by, "denied_at", "second_due_at", "second_contact_at")
    _shift(task, by, "assigned_at", "seen_at")
    task.save()
    for contact in task.contacts.all():
        contact.note = ""
        contact.message_id = contact.message_id and f"forgotten:{contact.pk}"
        _shift(contact, by, "logged_at", "claimed_at", "proven_at")
        contact.save()
    for escalation in task.escalations.all():
        _shift(escalation, by, "began_at", "at", "acknowledged_at")
        escalation.save()
    for mail in task.mails.all():
        mail.subject = mail.text = ""
        _shift(mail, by, "written_at")
        mail.save()
    for confirmation in task.confirmations.all():
        confirmation.comment, confirmation.seed = "", new_seed()
        _shift(confirmation, by, "asked_at", "answered_at")
        confirmation.save()


def _shift(row: Model, by: timedelta, *names: str) -> None:
    for name in names:
        if at := getattr(row, name):
            setattr(row, name, at + by)


def _stop_mails(customer: Customer) -> None:
    """What a server may have by now goes its way, and is written down by who sends it."""
    mails = _mails_about(customer)
    waiting = Q(state__in=[State.QUEUED, State.HELD, State.IN_DOUBT])
    waiting |= Q(state=State.SENDING, handed_at=None)
    mails.filter(waiting).update(state=State.CANCELLED)
    mails.exclude(state=State.SENDING).update(last_error="", provider_id="")
    for event in DeliveryEvent.objects.filter(message__in=mails):
        event.detail, event.event_id = "", f"forgotten:{event.pk}"
        event.save(update_fields=["detail", "event_id"])


def _drop_rows(customer: Customer) -> None:
    asked = customer.invitations.values("pk")
    InboundMail.objects.filter(Q(customer=customer) | Q(invitation__in=asked)).delete()
    Event.objects.filter(customer=customer).delete()
    CustomerProperty.objects.filter(customer=customer).delete()


def _blank(customer: Customer, now: datetime) -> None:
    customer.email = customer.external_id = customer.account = None
    customer.name = customer.phone = customer.segment = ""
    customer.language = customer.time_zone = customer.country = ""
    customer.is_key_contact, customer.soft_bounces = False, 0
    customer.forgotten_at = now
    customer.save()
