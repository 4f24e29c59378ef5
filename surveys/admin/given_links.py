"""Links to hand over, as a file: whoever holds it can answer in the customers' names, so it is kept
to those who may plan waves, and each download is in the audit."""

from __future__ import annotations

from collections.abc import Iterator

from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone

from surveys.delivery.links import answer_link
from surveys.exports import csv_stream
from surveys.loop import give_links
from surveys.models import AuditEntry, Invitation
from surveys.models.invitations import Invitations

COLUMNS = "customer email phone language account owner survey product wave link valid_until"
GIVE = "surveys.give_links"


def download(
    request: HttpRequest, rows: Invitations, about: models.Model, filters: dict | None = None
) -> StreamingHttpResponse:
    """The links of the invitations that can still be answered, and the note that they were given.

    The entry of the audit is about the noun `about`. Raises PermissionDenied.
    """
    if not request.user.has_perm(GIVE):
        raise PermissionDenied
    now = timezone.now()
    after = {"invitations": rows.count(), "filters": filters or {}}
    AuditEntry.record("give links", about, now, actor=request.user, after=after)
    return csv_stream("links", COLUMNS, _lines(give_links.in_batches(rows, request.user, now)))


def _lines(invitations: Iterator[Invitation]) -> Iterator[list[object]]:
    for one in invitations:
        customer, account = one.customer, one.customer.account
        yield [
            customer.name,
            customer.email,
            customer.phone,
            one.language,
            account.name if account else "",
            str(account.owner) if account and account.owner else "",
            one.survey.name,
            one.product,
            one.wave.name if one.wave else "",
            answer_link(one),
            one.expires_at.isoformat(timespec="seconds"),
        ]
