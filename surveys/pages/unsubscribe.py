"""The way out: a page that asks once more, and the one-click POST of mail programs (RFC 8058)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.views.decorators.http import require_http_methods

from surveys.loop.unsubscribe import unsubscribe as opt_out
from surveys.models import Invitation, Purpose
from surveys.pages.public import gone, nonce, nonce_is_good, public_page


@public_page
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    asked = Invitation.objects.by_token(token, Purpose.UNSUBSCRIBE)
    invitation = asked.select_related("survey__family", "customer").first()
    if invitation is None or not invitation.customer.email:
        return gone(request)
    one_click = request.POST.get("List-Unsubscribe") == "One-Click"
    confirmed = nonce_is_good(request.POST.get("nonce", ""), token)
    everything = request.POST.get("scope") == "all"
    context = {"name": invitation.survey.family.name, "everything": everything}
    with translation.override(invitation.language):
        if request.method == "POST" and (one_click or confirmed):
            opt_out(invitation, timezone.now(), everything=everything, one_click=one_click)
            return render(request, "surveys/pages/unsubscribed.html", context)
        page = "surveys/pages/unsubscribe.html"
        return render(request, page, context | {"nonce": nonce(token)})
