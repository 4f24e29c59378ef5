"""The way out: a page that asks once more, and the one-click POST of mail programs (RFC 8058)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.views.decorators.http import require_http_methods

from surveys.loop.unsubscribe import unsubscribe as opt_out
from surveys.models import Invitation, Purpose, Sign, Visit
from surveys.pages import nonces
from surveys.pages.guest import Guest
from surveys.pages.public import gone, public_page, unknown


@public_page
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    asked = Invitation.objects.by_token(token, Purpose.UNSUBSCRIBE)
    invitation = asked.select_related("survey__family", "survey__brand", "customer").first()
    if invitation is None:
        return unknown(request)
    if not invitation.customer.email:
        return gone(request)
    with translation.override(invitation.language):
        page = Page(Guest(request, token), invitation)
        return page.take() if request.method == "POST" else page.show()


class Page:
    """What one guest sees of the way out."""

    def __init__(self, guest: Guest, invitation: Invitation):
        self.guest, self.invitation = guest, invitation
        guest.meet(invitation)
        self.everything = guest.posted("scope") == "all"

    def show(self) -> HttpResponse:
        self.guest.note(self.invitation, Visit.What.OPT_OUT_PAGE)
        return self._form("unsubscribe", nonces.FORM)

    def take(self) -> HttpResponse:
        """What a mail program sends is honoured whoever pressed there: that is the law. A form of
        ours has the traps of the other pages."""
        if self.guest.posted("List-Unsubscribe") == "One-Click":
            return self._stop(one_click=True)
        nonce = self.guest.proof()
        if nonce is None:
            return self.show()
        signs = self.guest.signs(nonce)
        if nonce.form == nonces.FORM and self.guest.was_in_a_trap(self.invitation):
            signs = [*signs, Sign.CAUGHT_BEFORE]
        self.guest.note_press(self.invitation, None, signs)
        if signs:
            sent = [("scope", "all" if self.everything else "survey")]
            return self._form("again", nonces.AGAIN, sent=sent)
        return self._stop(one_click=False)

    def _stop(self, *, one_click: bool) -> HttpResponse:
        now = self.guest.now
        opt_out(self.invitation, now, everything=self.everything, one_click=one_click)
        return self._render("unsubscribed")

    def _form(self, page: str, form: str, **context: Any) -> HttpResponse:
        return self._render(page, **self.guest.nonces_for(form), **context)

    def _render(self, page: str, **context: Any) -> HttpResponse:
        survey = self.invitation.survey
        context |= {"name": survey.family.name, "brand": survey.brand,
                    "company": settings.COMPANY, "everything": self.everything}  # fmt: skip
        return render(self.guest.request, f"surveys/pages/{page}.html", context)
