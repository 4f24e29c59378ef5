"""“I know of it”: those to whom a task was escalated say so by a link, without a log-in."""

from __future__ import annotations

from contextlib import suppress

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.views.decorators.http import require_http_methods

from surveys.loop import escalate
from surveys.models import Escalation
from surveys.pages import nonces
from surveys.pages.guest import Guest
from surveys.pages.public import public_page, unknown


@public_page
@require_http_methods(["GET", "HEAD", "POST"])
def acknowledge(request: HttpRequest, token: str) -> HttpResponse:
    found = Escalation.objects.by_token(token)
    if found is None:
        return unknown(request)
    with translation.override("en"):  # as all that colleagues read
        page = Page(Guest(request, token), *found)
        return page.take() if request.method == "POST" else page.show()


class Page:
    """What one of the recipients sees. No name of a customer: whoever holds the link knows it."""

    def __init__(self, guest: Guest, escalation: Escalation, person):
        self.guest, self.escalation, self.person = guest, escalation, person
        self.task = escalation.task

    def show(self) -> HttpResponse:
        if self.task.state != self.task.State.OPEN or self._is_known():
            return self._render("acknowledged")
        return self._form("acknowledge", nonces.FORM)

    def take(self) -> HttpResponse:
        nonce = self.guest.proof()
        if nonce is None:
            return self.show()
        if self.guest.signs(nonce):
            return self._form("again", nonces.AGAIN, sent=[])
        with suppress(escalate.NothingToAcknowledge):  # it was closed while they read
            escalate.acknowledge(self.task, self.person, self.guest.now)
        return self._render("acknowledged")

    def _is_known(self) -> bool:
        return not self.task.escalations.filter(acknowledged_at=None).exists()

    def _form(self, page: str, form: str, **context: object) -> HttpResponse:
        return self._render(page, **self.guest.nonces_for(form), **context)

    def _render(self, page: str, **context: object) -> HttpResponse:
        self.task.refresh_from_db(fields=["state"])
        about = self.task.customer.account or "A customer without an account"
        context |= {
            "company": settings.COMPANY,
            "task": self.task,
            "one": self.escalation,
            "about": about,
            "person": self.person,
            "zone": self.person.zone,
        }
        return render(self.guest.request, f"surveys/pages/{page}.html", context)
