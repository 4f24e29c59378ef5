"""The pages of an answer, filled in for one guest, in the language of the invitation."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import translation

from surveys.loop.answer import CORRECTABLE_FOR
from surveys.loop.asked import Asked
from surveys.models import Response, Words
from surveys.pages import nonces
from surveys.pages.about import about
from surveys.pages.forms import MoreForm
from surveys.pages.guest import Guest


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

    @property
    def words(self) -> Words:
        asked = self.asked
        return asked.wording.filled(
            name=asked.name, company=settings.COMPANY, product=asked.product
        )

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
        context = {
            "scale": scale,
            "chosen": chosen,
            "comment": comment,
            "errors": errors or {},
            "bait": scale[-1] if chosen is None else chosen,
        }
        return self._render("answer", status, **self._nonces(nonces.FORM), **context)

    def more(
        self, given: Response, *, form: MoreForm | None = None, status: int = 200
    ) -> HttpResponse:
        """The page after the score."""
        form = form or MoreForm.of(self.asked.wording.choices, given)
        context = {
            "given": given,
            "form": form,
            "question": self.words.open_question(given.band),
            "bait": given.score,
        }
        return self._render("more", status, **self._nonces(nonces.FORM), **context)

    def again(self, sent: Mapping[str, Any]) -> HttpResponse:
        """Whoever was caught may press once more; what was `sent` is sent with it."""
        pairs = [
            (name, value)
            for name, values in sent.items()
            for value in (values if isinstance(values, list) else [values])
        ]
        context = {"sent": pairs, "chosen": sent.get("score"), "bait": sent.get("score", "")}
        return self._render("again", 200, **self._nonces(nonces.AGAIN), **context)

    def thanks(self, given: Response) -> HttpResponse:
        is_correctable = self.guest.now - given.answered_at <= CORRECTABLE_FOR
        context = {"given": given, "correctable": is_correctable,
                   "thanks": self.words.thanks_for(given.band)}  # fmt: skip
        return self._render("thanks", 200, **context)

    def _nonces(self, form: str) -> dict[str, str]:
        page, now = self.guest.page, self.guest.now
        return {
            "nonce": nonces.issue(page, form, now),
            "decoy": nonces.issue(page, nonces.DECOY, now),
        }

    def _render(self, page: str, status: int, **context: Any) -> HttpResponse:
        survey, given = self.asked.survey, self.asked.answer
        context |= {
            "survey": survey,
            "brand": survey.brand,
            "words": self.words,
            "company": settings.COMPANY,
            **about(given.answered_at if given else self.guest.now, self.asked.invitation),
            "action": self.guest.action,
            "write_to": self.guest.write_to,
        }
        return render(self.guest.request, f"surveys/pages/{page}.html", context, status=status)


def _language(wanted: str) -> str | None:
    try:
        return translation.get_supported_language_variant(wanted)
    except LookupError:
        return translation.get_language()
