"""Proof that a form was fetched before it was sent, when, and which of a page's forms it is.

`<milliseconds>.<signature>`, signed for one link and one form: that of a page, of the page that
asks to press once more, or a decoy. Nothing is stored, and nothing in it tells the forms apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.core.signing import BadSignature, Signer
from django.utils.timezone import now as current_time

FORM, AGAIN, DECOY = "form", "again", "decoy"
GOOD_FOR = timedelta(hours=24)
LEAST = {FORM: timedelta(seconds=1), AGAIN: timedelta(seconds=2), DECOY: timedelta()}
EPOCH = datetime.fromisoformat("2020-01-01T00:00:00+00:00")
_signers = {form: Signer(salt=f"surveys.pages.{form}") for form in (FORM, AGAIN, DECOY)}


class NotOurs(Exception):
    """Signed by somebody else, or for another link."""


class Nonce:
    """A nonce that we issued: its form, and the moment at which that was shown."""

    def __init__(self, form: str, seen_at: datetime):
        self.form, self.seen_at = form, seen_at

    def is_hasty(self, now: datetime) -> bool:
        """Sooner than anybody can read the page."""
        return now - self.seen_at < LEAST[self.form]

    def is_outdated(self, now: datetime) -> bool:
        return now - self.seen_at > GOOD_FOR


def issue(token: str, form: str = FORM, now: datetime | None = None) -> str:
    """A nonce for a form on the page of `token`."""
    age = (now or current_time()) - EPOCH
    at = str(age // timedelta(milliseconds=1))
    return f"{at}.{_signers[form].signature(_bound(token, at))}"


def read(text: str, token: str, forms: Sequence[str] = (FORM, AGAIN, DECOY)) -> Nonce:
    """Raises NotOurs."""
    at, _, signature = text.partition(".")
    if not (at.isascii() and at.isdigit() and len(at) < 15):
        raise NotOurs
    for form in forms:
        try:
            _signers[form].unsign(f"{_bound(token, at)}:{signature}")
        except BadSignature:
            continue
        return Nonce(form, EPOCH + timedelta(milliseconds=int(at)))
    raise NotOurs


def _bound(token: str, at: str) -> str:
    return f"{token.lower()}|{at}"
