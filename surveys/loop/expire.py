"""Expire: nothing is kept longer than the page for customers and the README say.

Every step is a batch of its own, so a killed run leaves nothing half done and the next one goes on.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable
from datetime import datetime, timedelta

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.conf import settings
from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q

from surveys.loop.forget import empty, forget, locked
from surveys.models import (
    AuditEntry,
    Customer,
    DeliveryEvent,
    Erasure,
    Event,
    InboundMail,
    Invitation,
    Message,
    OpenAnswer,
    OutreachTask,
    Response,
    ResponseVersion,
    Visit,
)

BATCH = 1_000  # rows of one statement
DONE_WITH = [Message.State.SENT, Message.State.CANCELLED, Message.State.FAILED]


def expire(now: datetime) -> int:
    """Let go of all that has been kept for long enough; returns how many rows."""
    days = {"mails": settings.KEEP_MAIL_DAYS, "addresses": settings.KEEP_ADDRESS_DAYS}
    before = {what: now - timedelta(days=n) for what, n in days.items()}
    return (
        mails(before["mails"])
        + addresses(before["addresses"])
        + answers(months_before(now, settings.KEEP_ANSWER_MONTHS), now)
        + nobodys_answers(months_before(now, settings.KEEP_ANSWER_MONTHS))
        + audit(months_before(now, settings.KEEP_AUDIT_MONTHS))
    )


def months_before(now: datetime, months: int) -> datetime:
    """The same day and time so many months ago, or the last day of that month."""
    year, month = divmod(now.year * 12 + now.month - 1 - months, 12)
    day = min(now.day, monthrange(year, month + 1)[1])
    return now.replace(year=year, month=month + 1, day=day)


def mails(before: datetime) -> int:
    """What was written to us by mail, and what servers and providers said about ours."""
    came_in = InboundMail.objects.filter(received_at__lt=before)
    reports = DeliveryEvent.objects.filter(at__lt=before)
    of_nobody = Q(invitation__customer__forgotten_at__isnull=False)
    of_nobody |= Q(task__customer__forgotten_at__isnull=False)
    ended = Message.objects.filter(Q(created_at__lt=before) | of_nobody, state__in=DONE_WITH)
    return (
        _blank(came_in.exclude(sender="", subject="", text=""), sender="", subject="", text="")
        + _blank(reports.exclude(detail=""), detail="")
        + _blank(ended.exclude(last_error=""), last_error="")
    )


def addresses(before: datetime) -> int:
    """Who opened our pages, from where and with which browser; and who tried to log in."""
    clients = OpenAnswer.objects.filter(at__lt=before).exclude(client="")
    tries = (model.objects.filter(attempt_time__lt=before)
             for model in (AccessAttempt, AccessFailureLog, AccessLog))  # fmt: skip
    return (
        _delete(Visit.objects.filter(at__lt=before))
        + _blank(clients, client="")
        + sum(map(_delete, tries))
    )


def audit(before: datetime) -> int:
    done = 0
    while dropped := AuditEntry.objects.drop_before(before, BATCH):
        done += dropped
    return done


def answers(before: datetime, now: datetime) -> int:
    """Separate old answers, and old invitations that nobody answered, from those who gave them;
    returns from how many customers."""
    customers = Customer.objects.known().filter(
        Exists(_asked(before).filter(customer=OuterRef("pk")))
        | Exists(_given(before).filter(customer=OuterRef("pk")))
        | Exists(_happened(before).filter(customer=OuterRef("pk")))
    )
    done = 0
    while rows := list(customers.order_by("pk")[:BATCH]):
        for customer in rows:
            _part(customer, before, now)
        done += len(rows)
    return done


def nobodys_answers(before: datetime) -> int:
    """What was written through open links and in imported rows, too, may say who wrote it."""
    written = Exists(ResponseVersion.objects.filter(response=OuterRef("pk"))) | ~Q(comment="")
    rows = Response.objects.filter(written, customer=None, answered_at__lt=before)
    return _in_batches(rows, empty)


def _asked(before: datetime) -> models.QuerySet[Invitation]:
    unanswered = Q(response=None) | Q(response__answered_at__lt=before)
    return Invitation.objects.filter(unanswered, created_at__lt=before)


def _given(before: datetime) -> models.QuerySet[Response]:
    return Response.objects.filter(answered_at__lt=before)


def _happened(before: datetime) -> models.QuerySet[Event]:
    return Event.objects.filter(received_at__lt=before).exclude(decided_at=None)


@transaction.atomic
def _part(customer: Customer, before: datetime, now: datetime) -> None:
    """Give the old ones to somebody who never was, and forget that somebody."""
    customer = locked(customer)
    nobody = Customer.objects.create()
    asked = list(_asked(before).filter(customer=customer).values_list("pk", flat=True))
    given = list(_given(before).filter(customer=customer).values_list("pk", flat=True))
    about = Q(invitation__in=asked)
    Event.objects.filter(about, customer=customer).update(customer=nobody)
    _happened(before).filter(customer=customer).update(customer=nobody)
    InboundMail.objects.filter(about, customer=customer).update(customer=nobody)
    OutreachTask.objects.filter(response__in=given).update(customer=nobody)
    Response.objects.filter(pk__in=given).update(customer=nobody)
    Invitation.objects.filter(pk__in=asked).update(customer=nobody)
    forget(nobody, None, "", now, Erasure.Cause.TIME)


def _blank(rows: models.QuerySet, **values: str) -> int:
    return _in_batches(rows, lambda batch: batch.update(**values))


def _delete(rows: models.QuerySet) -> int:
    return _in_batches(rows, lambda batch: batch.delete())


def _in_batches(rows: models.QuerySet, work: Callable[[models.QuerySet], object]) -> int:
    """Over those that `rows` finds, until it finds none: `work` must take them out of it."""
    model, done = rows.model, 0
    while keys := list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        work(model._default_manager.filter(pk__in=keys))
        done += len(keys)
    return done
