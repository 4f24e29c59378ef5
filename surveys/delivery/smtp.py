"""One SMTP conversation, step by step, so that we know exactly when a mail left our hands."""

from __future__ import annotations

import re
import smtplib
import ssl
from collections.abc import Callable

from django.conf import settings

from surveys.delivery.letter import Letter

LEADING_DOT = re.compile(rb"(?m)^\.")  # doubled, for a lone one ends the mail (RFC 5321, 4.5.2)


class Refused(Exception):
    """The server said no before it had the mail. `code` is its reply (RFC 5321, 4.2)."""

    def __init__(self, code: int, text: bytes | str):
        reply = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
        super().__init__(f"{code} {reply}"[:300])
        self.code = code

    @property
    def for_good(self) -> bool:
        return self.code >= 500


class Unreachable(Exception):
    """No conversation at all: connection, TLS or log-in failed. Says nothing about an address."""


class Lane:
    """A connection to the mail server, opened at the first mail and used for all of a batch."""

    def __init__(self) -> None:
        self._smtp: smtplib.SMTP | None = None

    def __enter__(self) -> Lane:
        return self

    def __exit__(self, *exception: object) -> None:
        self.hang_up()

    def hang_up(self) -> None:
        """Close at once; a mail whose body has not ended is thrown away by the server."""
        if self._smtp is not None:
            self._smtp.close()
            self._smtp = None

    def deliver(self, letter: Letter, hand_over: Callable[[], bool]) -> None:
        """Give one letter to the server.

        `hand_over` is called between its 354 and the body: the last moment at which the mail has
        certainly not been delivered. When it returns False, nothing is delivered.
        Raises Unreachable and Refused when it was certainly not accepted; any OSError or
        smtplib.SMTPException after `hand_over` leaves the mail in doubt.
        """
        smtp = self._conversation()
        body = letter.content.rstrip(b"\r\n")
        self._expect(250, smtp.mail(letter.sender))
        self._expect(250, smtp.rcpt(letter.recipient))
        self._expect(354, smtp.docmd("DATA"))
        if not hand_over():
            self.hang_up()
            return
        smtp.send(LEADING_DOT.sub(b"..", body) + b"\r\n.\r\n")
        self._expect(250, smtp.getreply())

    def _expect(self, code: int, reply: tuple[int, bytes]) -> None:
        if reply[0] == code or (code == 250 and reply[0] == 251):
            return
        if self._smtp is not None and reply[0] != 421:
            self._smtp.rset()
        else:
            self.hang_up()
        raise Refused(*reply)

    def _conversation(self) -> smtplib.SMTP:
        if self._smtp is None:
            try:
                self._smtp = _connect()
            except (OSError, smtplib.SMTPException) as error:
                raise Unreachable(f"{settings.EMAIL_HOST}: {error}"[:300]) from error
        return self._smtp


def _connect() -> smtplib.SMTP:
    server = (settings.EMAIL_HOST, settings.EMAIL_PORT)
    context = ssl.create_default_context()
    if settings.EMAIL_USE_SSL:
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(
            *server, timeout=settings.EMAIL_TIMEOUT, context=context
        )
    else:
        smtp = smtplib.SMTP(*server, timeout=settings.EMAIL_TIMEOUT)
    smtp.ehlo_or_helo_if_needed()
    if settings.EMAIL_USE_TLS:
        smtp.starttls(context=context)
    if settings.EMAIL_HOST_USER:
        smtp.login(settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD)
    return smtp
