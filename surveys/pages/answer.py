"""Where a customer lands from the mail: choose a score and press the button, which is the answer;
then a page with one open question that fits it. Both are shown in answer to the press, without a
redirect: on a bad phone each round trip is felt."""

from __future__ import annotations

import re
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from surveys.loop import answer as verb
from surveys.loop.asked import Asked
from surveys.loop.suspect import MANY
from surveys.models import COMMENT_LENGTH, Response, Sign, Visit
from surveys.pages import nonces
from surveys.pages.forms import MoreForm
from surveys.pages.guest import Guest
from surveys.pages.public import gone, public_page, unknown
from surveys.pages.sheet import Sheet

SCORE = re.compile(r"[0-9]{1,2}")  # of any scale, and only in the digits that our buttons send


@public_page
@require_http_methods(["GET", "HEAD", "POST"])
def answer(request: HttpRequest, token: str, *, is_hidden: bool = False) -> HttpResponse:
    """`is_hidden`: by the link that no reader of the mail can see."""
    return serve(Guest(request, token, is_hidden))


def serve(guest: Guest) -> HttpResponse:
    """What this guest sees, or what became of the press."""
    return _take(guest) if guest.request.method == "POST" else _show(guest)


def _show(guest: Guest) -> HttpResponse:
    about = guest.find()
    if about is None:
        return unknown(guest.request)
    guest.note_look(about.invitation, _score_in(guest.request.GET))
    if about.answer is None and about.is_over(guest.now):
        return gone(guest.request)
    with Sheet(guest, about) as sheet:
        given = about.answer
        if given is None:
            return sheet.score(chosen=_score_in(guest.request.GET))
        if not _is_correctable(given, guest):
            return sheet.thanks(given)
        if "change" in guest.request.GET:
            return sheet.score(chosen=given.score)
        return sheet.thanks(given) if given.finished_at else sheet.more(given)


def _take(guest: Guest) -> HttpResponse:
    try:
        nonce = nonces.read(guest.posted("nonce"), guest.page)
    except nonces.NotOurs:
        return gone(guest.request)
    signs = guest.signs(nonce)
    if guest.posted("page") == "more":
        return _take_more(guest, nonce, signs)
    score, comment = _score_in(guest.request.POST), guest.text("comment")
    is_plain = score is not None and len(comment) <= COMMENT_LENGTH and "\0" not in comment
    if is_plain and nonce.form == nonces.FORM and not signs and not nonce.is_outdated(guest.now):
        pressed = guest.press_at_once(score, comment)
        if pressed and pressed.response:
            guest.note(pressed.asked.invitation, Visit.What.PRESSED, score)
            with Sheet(guest, pressed.asked) as sheet:
                return sheet.more(pressed.response)
        about = pressed.asked if pressed else None
    else:
        about = guest.find()
    if about is None:
        return unknown(guest.request)
    return _take_score(guest, about, nonce, signs, score, comment)


def _take_score(
    guest: Guest,
    about: Asked,
    nonce: nonces.Nonce,
    signs: list[Sign],
    score: int | None,
    comment: str,
) -> HttpResponse:
    """Whatever is not plain: a mistake, a machine, a correction."""
    with Sheet(guest, about) as sheet:
        if errors := _errors(about, nonce, guest, score, comment):
            return sheet.score(chosen=score, comment=comment, errors=errors, status=422)
        is_confirmed = nonce.form == nonces.AGAIN and not signs
        if about.fell_for_link and not is_confirmed:
            signs = [*signs, Sign.HIDDEN_LINK]
        try:
            pressed = guest.press(
                about,
                score,
                comment=comment or None,
                signs=signs,
                seen_at=nonce.seen_at,
                confirmed=is_confirmed,
            )
        except verb.CannotAnswer:
            pass  # the page of this link is the same for everybody, in the reader's language
        except verb.TooLateToCorrect:
            return sheet.thanks(about.answer)
        else:
            guest.note_press(about.invitation, score, pressed.signs)
            if pressed.signs:
                return sheet.again({"score": score, "comment": comment})
            return sheet.more(pressed.response)
    return gone(guest.request)


def _take_more(guest: Guest, nonce: nonces.Nonce, signs: list[Sign]) -> HttpResponse:
    about = guest.find()
    if about is None:
        return unknown(guest.request)
    given = about.answer
    if given is None:
        return HttpResponseRedirect(guest.request.path, status=303)
    linked = _score_in(guest.request.GET)
    if nonce.form == nonces.FORM and _goes_through_the_scores(guest, about, given, linked):
        signs = [*signs, Sign.MANY_SCORES]
    with Sheet(guest, about) as sheet:
        form = MoreForm(about.wording.choices, guest.request.POST)
        if nonce.is_outdated(guest.now):
            form.add_error(None, _too_old())
        if not form.is_valid():
            return sheet.more(given, form=form, status=422)
        try:
            pressed = guest.add(given, form.more(), signs)
        except verb.TooLateToCorrect:
            return sheet.thanks(given)
        except verb.CannotAnswer:
            return gone(guest.request)
        guest.note_press(about.invitation, linked, pressed.signs)
        if pressed.signs:
            return sheet.again({"page": "more"} | form.as_sent())
        return sheet.thanks(pressed.response)


def _goes_through_the_scores(
    guest: Guest, about: Asked, given: Response, linked: int | None
) -> bool:
    """A machine that presses behind every link of a mail answers by the first of them, and finds
    this page behind the links of all other scores."""
    if linked in (None, given.score):
        return False
    return len(guest.scores_pressed(about) | {linked, given.score}) >= MANY


def _errors(
    about: Asked, nonce: nonces.Nonce, guest: Guest, score: int | None, comment: str
) -> dict[str, str]:
    errors = {}
    if nonce.is_outdated(guest.now):
        errors["page"] = _too_old()
    if not guest.posted("score"):
        errors["score"] = _("Please choose a score.")
    elif score not in about.survey.scale:
        errors["score"] = _("Please choose one of the scores.")
    if len(comment) > COMMENT_LENGTH or "\0" in comment:
        errors["page"] = _("The comment is too long.")
    return errors


def _too_old() -> str:
    return _("This page was open for too long. Please press the button again.")


def _score_in(sent: Any) -> int | None:
    text = sent.get("score", "")
    return int(text) if SCORE.fullmatch(text) else None


def _is_correctable(given: Response, guest: Guest) -> bool:
    return guest.now - given.answered_at <= verb.CORRECTABLE_FOR
