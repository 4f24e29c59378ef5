"""What we keep of a customer: they see it, take it with them, and have it deleted."""

from __future__ import annotations

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.timesince import TIME_STRINGS
from django.views.decorators.http import require_http_methods, require_safe

from surveys.loop.forget import forget
from surveys.models import Erasure, Invitation, Purpose, Response, Sign
from surveys.pages import nonces
from surveys.pages.guest import Guest
from surveys.pages.public import public_page, unknown

FILE = 'attachment; filename="my-answers.json"'


@public_page
@require_safe
def privacy(request: HttpRequest, token: str) -> HttpResponse:
    """Every answer of the customer. Not their name or address: who holds the link knows them, or
    should not learn them from it."""
    asked = _find(token)
    if asked is None:
        return unknown(request)
    with translation.override(asked.language):
        return _render(request, asked, "privacy", token=token, answers=_answers(asked))


@public_page
@require_safe
def download(request: HttpRequest, token: str) -> HttpResponse:
    """The same for machines, with every version of each answer (GDPR, article 20)."""
    asked = _find(token)
    if asked is None:
        return unknown(request)
    rows = _answers(asked).prefetch_related("versions", "reasons")
    answers = [_in_words(answer) for answer in rows]
    body = {"from": settings.COMPANY, "as_of": timezone.now(), "answers": answers}
    pretty = {"indent": 2, "ensure_ascii": False}
    return JsonResponse(body, json_dumps_params=pretty, headers={"Content-Disposition": FILE})


@public_page
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, token: str) -> HttpResponse:
    """Ask once more, then forget them; with the traps of every form of ours.

    Pressing twice shows the same page: only a link that led somewhere has ever had a nonce.
    """
    guest, asked = Guest(request, token), _find(token)
    nonce = guest.proof()
    if asked is None:
        return _render(request, None, "privacy_deleted") if nonce else unknown(request)
    guest.meet(asked)
    with translation.override(asked.language):
        if nonce is None:
            return _ask(guest, asked, "privacy_delete", nonces.FORM)
        if signs := _signs(guest, asked, nonce):
            guest.note_press(asked, None, signs)
            return _ask(guest, asked, "again", nonces.AGAIN)
        forget(asked.customer, None, "", guest.now, Erasure.Cause.CUSTOMER, link=asked)
        return _render(request, asked, "privacy_deleted")


def _signs(guest: Guest, asked: Invitation, nonce: nonces.Nonce) -> list[Sign]:
    """What is deleted cannot be brought back: who was in a trap of any link presses once more."""
    signs = guest.signs(nonce)
    if nonce.form == nonces.FORM and guest.was_in_a_trap(asked):
        signs = [*signs, Sign.CAUGHT_BEFORE]
    return signs


def _ask(guest: Guest, asked: Invitation, page: str, form: str) -> HttpResponse:
    return _render(guest.request, asked, page, token=guest.token, **guest.nonces_for(form))


def _find(token: str) -> Invitation | None:
    asked = Invitation.objects.by_token(token, Purpose.PRIVACY)
    return asked.select_related("customer", "survey__brand").first()


def _answers(asked: Invitation) -> QuerySet[Response]:
    mine = Response.objects.filter(customer=asked.customer_id).order_by("-answered_at", "-pk")
    return mine.select_related("survey")


def _in_words(answer: Response) -> dict:
    versions = [
        {
            "at": version.recorded_at,
            "score": version.score,
            "comment": version.comment,
            "reasons": version.reasons,
            "contact_channel": version.contact_channel,
            "contact_time": version.contact_time,
        }
        for version in answer.versions.all()
    ]
    return {
        "survey": answer.survey.name,
        "about": answer.product,
        "answered_at": answer.answered_at,
        "score": answer.score,
        "scale": [answer.survey.scale[0], answer.survey.scale[-1]],
        "comment": answer.comment,
        "reasons": [reason.key for reason in answer.reasons.all()],
        "wants_contact": answer.wants_contact,
        "contact_channel": answer.contact_channel,
        "contact_time": answer.contact_time,
        "versions": versions,
    }


def _kept() -> dict[str, str]:
    """For how long, in the active language; Django knows the plurals of months and days."""
    return {
        "answer_months": TIME_STRINGS["month"] % {"num": settings.KEEP_ANSWER_MONTHS},
        "mail_days": TIME_STRINGS["day"] % {"num": settings.KEEP_MAIL_DAYS},
        "address_days": TIME_STRINGS["day"] % {"num": settings.KEEP_ADDRESS_DAYS},
    }


def _render(request: HttpRequest, asked: Invitation | None, page: str, **more) -> HttpResponse:
    context = {
        "company": settings.COMPANY,
        "contact": settings.CONTACT_EMAIL,
        "kept": _kept(),
        "brand": asked.survey.brand if asked else None,
        **more,
    }
    return render(request, f"surveys/pages/{page}.html", context)
