"""The way out: a page that asks once more, and the one-click POST of mail programs (RFC 8058)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.views.decorators.http import require_http_methods

from surveys.loop.suppress import suppress
from surveys.models import Invitation, Purpose, Suppression
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
    with translation.override(invitation.language):
        if request.method == "POST" and (one_click or confirmed):
            return _opt_out(request, invitation)
        context = {"survey": invitation.survey, "nonce": nonce(token)}
        return render(request, "surveys/pages/unsubscribe.html", context)


def _opt_out(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    everything = request.POST.get("scope") == "all"
    suppress(
        invitation.customer.email,
        Suppression.Reason.UNSUBSCRIBED,
        timezone.now(),
        family=None if everything else invitation.survey.family,
    )
    context = {"survey": invitation.survey, "everything": everything}
    return render(request, "surveys/pages/unsubscribed.html", context)
