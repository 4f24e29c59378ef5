"""What a mail provider reports to us over HTTP. django-anymail checks who is asking and translates
what they say; here it is looked up and told to the verbs.

anymail would send Django signals. Its views take any object with a `send`, so they call ours.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

import anymail.urls
from anymail.exceptions import AnymailWebhookValidationFailure
from anymail.signals import AnymailInboundEvent, AnymailTrackingEvent
from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from surveys.inbound import reported
from surveys.inbound.take_in import take_in

log = logging.getLogger(__name__)
OLDEST = timedelta(days=30)  # by then every invitation has been answered or has expired
CLOCKS_DIFFER = timedelta(hours=1)
VIEWS = {pattern.name: pattern.callback.view_class for pattern in anymail.urls.urlpatterns}


@csrf_exempt
def hook(request: HttpRequest, provider: str, what: str) -> HttpResponse:
    """Where MAIL_PROVIDER sends its events: `what` is `tracking` or `inbound`.

    401 without its secret or signature, or when all it says is older than 30 days or from the
    future; 400 for what it would not say; 404 for other providers, and where no secret is set.
    """
    view = VIEWS.get(f"{provider}_{what}_webhook")
    if not settings.WEBHOOK_SECRET or provider != settings.MAIL_PROVIDER or view is None:
        raise Http404
    receiver = Receiver(TOLD[what], timezone.now())
    try:
        return _careful(view).as_view(signal=receiver)(request)
    except AnymailWebhookValidationFailure as refusal:
        log.warning("a webhook of %s was refused: %s", provider, refusal)
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Basic"})


class Receiver:
    """Stands where anymail has a signal, with one receiver that everybody can see."""

    def __init__(self, told: Callable[[Any, datetime], None], now: datetime):
        self.told, self.now = told, now

    def send(self, sender: type, event: Any, esp_name: str) -> None:
        self.told(event, self.now)


def _careful(view: type) -> type:
    """The same view, which answers 400 to what it cannot read and 401 to what is out of date."""

    class Careful(view):  # type: ignore[valid-type,misc]
        def parse_events(self, request: HttpRequest) -> list:
            try:
                events = list(super().parse_events(request))
            except AnymailWebhookValidationFailure:
                raise
            except Exception as error:  # whatever its parser meets, nothing was done so far
                raise SuspiciousOperation(f"Not what {self.esp_name} says: {error}") from error
            return _in_time(events)

    return Careful


def _in_time(events: Iterable) -> list:
    """Without what is too old to be news, or from the future. Raises when nothing is left."""
    now, events = timezone.now(), list(events)
    fresh = [event for event in events if event.timestamp is None or _is_fresh(event, now)]
    if events and not fresh:
        raise AnymailWebhookValidationFailure("older than 30 days, or from the future")
    return fresh


def _is_fresh(event: AnymailTrackingEvent, now: datetime) -> bool:
    return now - OLDEST < event.timestamp < now + CLOCKS_DIFFER


def _mail_came_in(event: AnymailInboundEvent, now: datetime) -> None:
    to = event.message.envelope_recipient
    take_in(event.message.as_bytes(), now, delivered_to=[to] if to else [])


TOLD: dict[str, Callable[[Any, datetime], None]] = {
    "tracking": reported.report,
    "inbound": _mail_came_in,
}
