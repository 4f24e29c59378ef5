"""Sending through a mail provider's API (django-anymail), with the same promises as by SMTP.

The provider gets an idempotency key with each mail, which is its Message-ID: those who know such
keys drop the copy of a mail that was sent twice. The others report what became of it, by the name
that is kept in `provider_id`.
"""

from __future__ import annotations

from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import urllib3
from anymail.exceptions import (
    AnymailConfigurationError,
    AnymailError,
    AnymailRecipientsRefused,
    AnymailRequestsAPIError,
)
from anymail.message import AnymailMessage
from django.conf import settings
from django.core.mail import get_connection
from requests import ConnectionError as NoConnection
from requests import ConnectTimeout
from requests.exceptions import SSLError

from surveys.delivery.letter import Letter
from surveys.delivery.smtp import Busy, Lane, Refused, Unclear, Unreachable

KEEP_OUR_MESSAGE_ID = {"X-PM-KeepID": "true"}  # Postmark's; others keep it, or ignore this
WRITTEN_BY_THE_PROVIDER = {
    "from", "to", "subject", "date", "mime-version", "content-type", "content-transfer-encoding",
}  # fmt: skip
ASKS_FOR_LESS = {429, 503}
OURS_TO_FIX = {401, 402, 403, 404, 407}  # the key, the bill, the rights, the address: no mail goes
UNCLEAR = {408}  # and 5xx
REFUSED_IN_A_ROW = 5  # mails; a sixth one tells that it is us whom the provider does not take


class ProviderLane(Lane):
    """One session with the provider's API, opened at the first mail and used for all of a batch."""

    def __init__(self) -> None:
        super().__init__()
        self._backend: Any = None
        self._refused_in_a_row = 0

    def hang_up(self) -> None:
        if self._backend is not None:
            self._backend.close()
            self._backend = None

    def deliver(self, letter: Letter, hand_over: Callable[[], bool]) -> str:
        """Give one letter to the provider; returns its name for the mail.

        `hand_over` is called before the request. Raises ValueError, Unreachable and Refused as
        `Lane.deliver` does, and Unclear where that leaves the mail in doubt.
        """
        backend, mail = self._session(), as_django_sends(letter)
        if not hand_over():
            return ""
        backend.session.headers["Idempotency-Key"] = mail.extra_headers["Message-ID"].strip("<>")
        try:
            backend.send_messages([mail])
        except AnymailRecipientsRefused as refusal:
            said = f"{settings.MAIL_PROVIDER} refuses the recipient: {refusal}"
            raise Refused("RCPT", (550, said.encode())) from refusal
        except AnymailRequestsAPIError as error:
            self._raise(error)
        except AnymailError as error:
            raise ValueError(str(error)) from error
        self._refused_in_a_row = 0
        return str(mail.anymail_status.message_id or "")[:200]

    def _session(self) -> Any:
        if self._backend is None:
            try:
                name = f"anymail.backends.{settings.MAIL_PROVIDER}.EmailBackend"
                self._backend = get_connection(name)
                self._backend.open()
            except (AnymailConfigurationError, ImportError) as error:
                raise Unreachable(f"MAIL_PROVIDER={settings.MAIL_PROVIDER}: {error}") from error
        return self._backend

    def _raise(self, error: AnymailRequestsAPIError) -> None:
        """What a failed request means: for this mail, for all of them, or nobody knows."""
        reason, status = f"{settings.MAIL_PROVIDER}: {error}", error.status_code
        if status in ASKS_FOR_LESS:
            raise Busy(reason, over_this_mail=True) from error
        if status in OURS_TO_FIX or _never_connected(error):
            raise Unreachable(reason, over_this_mail=True) from error
        if not status or not 400 <= status < 500 or status in UNCLEAR:
            raise Unclear(reason) from error
        if self._refused_in_a_row == REFUSED_IN_A_ROW:
            raise Unreachable(reason, over_this_mail=True) from error
        self._refused_in_a_row += 1
        raise Refused("DATA", (554, reason.encode())) from error


def lane() -> Lane:
    """The way out: the provider where one is named, else SMTP."""
    return ProviderLane() if settings.MAIL_PROVIDER else Lane()


def as_django_sends(letter: Letter) -> AnymailMessage:
    """The letter in the shape that providers' APIs want: fields in place of bytes."""
    parsed = message_from_bytes(letter.content, policy=policy.default)
    kept = {
        name: str(value)
        for name, value in parsed.items()
        if name.lower() not in WRITTEN_BY_THE_PROVIDER
    }
    mail = AnymailMessage(
        subject=str(parsed["Subject"]),
        body=_part(parsed, "plain"),
        from_email=str(parsed["From"]),
        to=[str(parsed["To"])],
        headers=kept | KEEP_OUR_MESSAGE_ID,
    )
    if html := _part(parsed, "html"):
        mail.attach_alternative(html, "text/html")
    mail.metadata = {"voc": kept["Message-ID"].strip("<>")}  # comes back with each event
    return mail


def _part(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    return part.get_content() if part else ""


def _never_connected(error: Exception) -> bool:
    """Whether the request certainly did not leave this machine."""
    if isinstance(error, ConnectTimeout | SSLError):
        return True
    cause = error.__cause__
    inner = cause.args[0] if isinstance(cause, NoConnection) and cause.args else None
    return isinstance(getattr(inner, "reason", None), urllib3.exceptions.NewConnectionError)
