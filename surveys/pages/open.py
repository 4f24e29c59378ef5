"""Where anybody answers: the pages of an answer by an open link, which listed pages may embed.

The link shows a form whose address ends in a random key. That address is the answer's: there it is
sent, added to and corrected, without a cookie, and only by whoever was shown the form.
"""

from __future__ import annotations

import re
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from surveys.loop import answer_openly as verb
from surveys.loop.answer import More, Pressed
from surveys.loop.answer_openly import AskedOpenly
from surveys.loop.press import Press
from surveys.models import Response, Sign
from surveys.models.open_links import new_key
from surveys.pages.answer import serve
from surveys.pages.guest import Guest
from surveys.pages.public import framed_by, public_page, unknown

KEY = re.compile(r"[a-z2-7]{26}")
RETRY_AFTER = 3600  # seconds


class OpenGuest(Guest):
    """One request with an open link, and with the key of a form that it has shown."""

    def __init__(self, request: HttpRequest, token: str, key: str = ""):
        super().__init__(request, token)
        self.write_to = settings.CONTACT_EMAIL
        self.key = key
        if not key:
            self.key = new_key()
            self.action = reverse("surveys:open-form", args=[token, self.key])
        self.page = f"{token}|{self.key}"
        self.about = verb.find(token, key, self.language)

    def find(self) -> AskedOpenly | None:
        return self.about

    def press_at_once(self, score: int, comment: str) -> Press | None:
        """No shortcut here: limits have to be looked at."""
        return Press(self.about, None) if self.about else None

    def press(self, about: AskedOpenly, score: int, **how: Any) -> Pressed:
        return verb.press(about, self.key, self.client, score, self.now, **how)

    def add(self, given: Response, more: More, signs: list[Sign]) -> Pressed:
        return verb.add(given, more, self.now, signs)

    def scores_pressed(self, about: AskedOpenly) -> set[int]:
        return set()

    def note(self, invitation: None, what: str, score: int | None = None) -> None:
        """Visits are kept of customers' links: here is nobody to judge by them."""


@public_page
@require_safe
def open_page(request: HttpRequest, token: str) -> HttpResponse:
    """A new form each time, for the next person at the same screen."""
    return _serve(OpenGuest(request, token))


@public_page
@require_http_methods(["GET", "HEAD", "POST"])
def open_form(request: HttpRequest, token: str, key: str) -> HttpResponse:
    """The form of `key`, and whatever became of it."""
    return _serve(OpenGuest(request, token, key)) if KEY.fullmatch(key) else unknown(request)


def _serve(guest: OpenGuest) -> HttpResponse:
    try:
        response = serve(guest)
    except verb.TooMany:
        context = {"company": settings.COMPANY, "brand": guest.about.survey.brand}
        response = render(guest.request, "surveys/pages/busy.html", context, status=429)
        response["Retry-After"] = str(RETRY_AFTER)
    return framed_by(guest.about.link.origins, response) if guest.about else response
