"""The pages of an answer, filled in for one guest, in the language of the invitation."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import replace
from functools import cached_property
from types import TracebackType
from typing import Any, NamedTuple

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import translation

from surveys.loop.answer import CORRECTABLE_FOR
from surveys.loop.asked import Asked
from surveys.models import Response, Words
from surveys.pages import nonces
from surveys.pages.about import about
from surveys.pages.drawn import draw
from surveys.pages.forms import MoreForm, blank
from surveys.pages.guest import Guest

ONLY_IN_MAILS = {"subject": "", "greeting": "", "intro": ""}


class Look(NamedTuple):
    """What pages show of a brand."""

    style_url: str
    logo_url: str
    review_url: str
    review_site: str


class Given(NamedTuple):
    """What pages show of an answer."""

    score: int | None


class Sheet:
    """Speaks the invitation's language while it is entered, or the browser's if that is unknown."""

    def __init__(self, guest: Guest, asked: Asked):
        self.guest, self.asked = guest, asked
        self.speaking = translation.override(_language(asked.language))

    def __enter__(self) -> Sheet:
        self.speaking.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.speaking.__exit__(kind, error, trace)

    @cached_property
    def words(self) -> Words:
        asked = self.asked
        filled = asked.wording.filled(
            name=asked.name, company=settings.COMPANY, product=asked.product
        )
        return replace(filled, **ONLY_IN_MAILS)

    def score(
        self,
        *,
        chosen: int | None = None,
        comment: str = "",
        errors: Mapping[str, str] | None = None,
        status: int = 200,
    ) -> HttpResponse:
        """The page with the scores, `chosen` being marked."""
        scale = self.asked.survey.scale
        facts: dict[str, Hashable] = {
            "scale": scale,
            "chosen": chosen,
            "comment": comment,
            "bait": scale[-1] if chosen is None else chosen,
        }
        if errors:
            return self._render("answer", status, **self.guest.nonces_for(), **facts, errors=errors)
        return self._draw("answer", facts)

    def more(
        self, given: Response, *, form: MoreForm | None = None, status: int = 200
    ) -> HttpResponse:
        """The page after the score."""
        choices = tuple(self.asked.wording.choices)
        facts: dict[str, Hashable] = {
            "given": Given(given.score),
            "question": self.words.open_question(given.band),
            "bait": given.score,
        }
        if form is None and not given.comment and not given.finished_at:
            return self._draw("more", facts | {"form": blank(choices)})
        form = form or MoreForm.of(list(choices), given)
        return self._render("more", status, **self.guest.nonces_for(), **facts, form=form)

    def again(self, sent: Mapping[str, Any]) -> HttpResponse:
        """Whoever was caught may press once more; what was `sent` is sent with it."""
        pairs = [
            (name, value)
            for name, values in sent.items()
            for value in (values if isinstance(values, list) else [values])
        ]
        context = {"sent": pairs, "chosen": sent.get("score"), "bait": sent.get("score", "")}
        return self._render("again", 200, **self.guest.nonces_for(nonces.AGAIN), **context)

    def thanks(self, given: Response) -> HttpResponse:
        is_correctable = self.guest.now - given.answered_at <= CORRECTABLE_FOR
        facts = {"correctable": is_correctable, "thanks": self.words.thanks_for(given.band)}
        return self._draw("thanks", facts, has_form=False)

    def _draw(
        self, page: str, facts: Mapping[str, Hashable], *, has_form: bool = True
    ) -> HttpResponse:
        """A page that many see alike, but for its nonces and links."""
        common = self._common()
        own = self.guest.nonces_for() if has_form else {}
        own |= {name: common.pop(name) for name in ("action", "privacy_url")}
        if brand := common["brand"]:
            looks = brand.style_url, brand.logo_url, brand.review_url, brand.review_site
            common["brand"] = Look(*looks)
        return HttpResponse(draw(page, common | facts, own))

    def _render(self, page: str, status: int, **context: Any) -> HttpResponse:
        context |= self._common()
        return render(self.guest.request, f"surveys/pages/{page}.html", context, status=status)

    def _common(self) -> dict[str, Any]:
        survey, given = self.asked.survey, self.asked.answer
        return {
            "brand": survey.brand,
            "words": self.words,
            "company": settings.COMPANY,
            **about(given.answered_at if given else self.guest.now, self.asked.invitation),
            "action": self.guest.action,
            "write_to": self.guest.write_to,
        }


def _language(wanted: str) -> str | None:
    try:
        return translation.get_supported_language_variant(wanted)
    except LookupError:
        return translation.get_language()
