"""/hooks/<system>/: where ticket systems and CRMs tell what happened."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from surveys.api.strict_json import LARGEST_BODY, strictly
from surveys.loop import happen, recognise
from surveys.models import Customer
from surveys.triggers.contract import Happening, System, Unreadable
from surveys.triggers.freshdesk import Freshdesk
from surveys.triggers.intercom import Intercom
from surveys.triggers.salesforce import Salesforce
from surveys.triggers.zendesk import Zendesk

SYSTEMS: dict[str, System] = {
    system.name: system for system in (Zendesk(), Freshdesk(), Salesforce(), Intercom())
}
CLOCKS_DIFFER = timedelta(hours=1)
log = logging.getLogger(__name__)


@csrf_exempt  # a signature takes its place; there is no cookie here
@require_http_methods(["HEAD", "POST"])
def hook(request: HttpRequest, name: str) -> HttpResponse:
    """Store what the system tells; the same again changes nothing. Answers say what was wrong."""
    system, secret = SYSTEMS.get(name), settings.HOOK_SECRETS.get(name)
    if system is None or not secret:
        return _refused(404, "There is no such hook, or its secret is not set.")
    if request.method == "HEAD":
        return HttpResponse()
    body = request.read(LARGEST_BODY + 1)
    if len(body) > LARGEST_BODY:
        return _refused(413, f"The body is larger than {LARGEST_BODY:,} bytes.")
    now = timezone.now()
    if not system.verify(request.headers, body, secret, now):
        return _refused(401, "The signature or the secret is missing, wrong or too old.")
    try:
        return JsonResponse(_take(system, strictly(body.decode("utf-8")), now))
    except (Unreadable, ValueError, RecursionError) as error:
        return _refused(400, f"The body could not be read: {error}")
    except happen.Contradiction as error:
        return _refused(409, str(error))


def _refused(status: int, why: str) -> JsonResponse:
    return JsonResponse({"error": {"message": why}}, status=status)


@transaction.atomic
def _take(system: System, payload: dict, now: datetime) -> dict[str, int]:
    counts = {"stored": 0, "known": 0, "ignored": 0}
    for told in system.read(payload):
        counts[_take_one(system, told, now)] += 1
    return counts


def _take_one(system: System, told: Happening, now: datetime) -> str:
    customer = _customer(told.person, system, now)
    if customer is None:
        log.warning("%s %s is about nobody we could ask", system.name, told.external_id)
        return "ignored"
    if told.happened_at and told.happened_at > now + CLOCKS_DIFFER:
        raise Unreadable(f"{told.happened_at:%Y-%m-%dT%H:%MZ} is in the future.")
    is_new = happen.happen(
        system.name,
        told.external_id,
        told.happening,
        customer,
        told.product,
        told.happened_at,
        now,
        subject=told.subject,
    )[1]
    return "stored" if is_new else "known"


def _customer(person: recognise.Person, system: System, now: datetime) -> Customer | None:
    """Whom it happened to; one with an address whom nobody knows is created. None: nobody."""
    try:
        if not person.email:
            return recognise.find(person)
        return recognise.find_or_create(person, now, reason=system.name)[0]
    except recognise.TwoCustomers:
        return Customer.objects.get(email=person.email).standing  # who wrote is whom to ask
