"""Pressing the buttons of a page as a person does, some seconds after seeing it."""

from datetime import timedelta

from django.utils import timezone

from surveys.pages import nonces

READING = 5  # seconds
BROWSER = {"User-Agent": "Mozilla/5.0 (Android 14; Mobile) Firefox/128.0", "Accept-Language": "en"}


def seen(url: str, form: str = nonces.FORM, seconds: float = READING) -> str:
    """The nonce of a form on that page, looked at for so long."""
    token = url.partition("?")[0].split("/")[2]
    return nonces.issue(token, form, timezone.now() - timedelta(seconds=seconds))


def press(client, url: str, *, form: str = nonces.FORM, seconds: float = READING, **said):
    """Send what was said by the button of that form."""
    headers = BROWSER | said.pop("headers", {})
    return client.post(url, {"nonce": seen(url, form, seconds), **said}, headers=headers)


def add(client, url: str, **said):
    """Fill in the page after the score, and press its button."""
    return press(client, url, page="more", **said)
