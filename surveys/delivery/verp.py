"""Variable envelope return paths: each mail has its own, so that its bounce says which it was."""

from __future__ import annotations

from django.conf import settings

from surveys.delivery.signed_address import SignedAddress
from surveys.models import Message

RETURN_PATH = SignedAddress(b"return path", letters=12)


def address(message: Message) -> str:
    """Where bounces of `message` go; CONTACT_EMAIL when no BOUNCE_ADDRESS is set."""
    if not settings.BOUNCE_ADDRESS:
        return settings.CONTACT_EMAIL
    return RETURN_PATH.of(settings.BOUNCE_ADDRESS, message.pk)


def read(address: str) -> int | None:
    """The id of the message that was sent from `address`; None for any that we did not make."""
    return RETURN_PATH.read(address)
