"""One SMTP conversation, step by step, so that we know exactly when a mail left our hands."""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
import time
from collections.abc import Callable
from functools import cache
from typing import Any

from django.conf import settings
from django.core.mail import DNS_NAME

from surveys.delivery.letter import Letter

LINE_END = re.compile(r"[\r\n]")
GREEDY = 4_096  # bytes
POLICY = re.compile(r"\d\d\d[ -]5\.7\.")  # RFC 3463: who we are is refused, not the address
OURS_TO_FIX = {530, 535, 538}  # log in first (RFC 4954)
TOO_FULL = 552  # of a mailbox: it may be emptied
SLOW_DOWN = {421, 432}


class Unreachable(Exception):
    """No conversation: connection, TLS, log-in or our own sender address. No address is at fault.

    `over_this_mail`: it came up while one mail was being given, which should not be first again.
    """

    def __init__(self, reason: str, over_this_mail: bool = False):
        super().__init__(reason[:300])
        self.over_this_mail = over_this_mail


class Unclear(Unreachable):
    """A fault of the lane after `hand_over`: the mail may or may not have been taken."""


class Busy(Unreachable):
    """The server asks for less: 421, 432, or a temporary no to the connection itself."""


class Refused(Exception):
    """The server said no to one mail, and certainly has not accepted it (RFC 5321, 4.2)."""

    def __init__(self, stage: str, reply: tuple[int, bytes]):
        self.stage, self.code = stage, reply[0]
        text = reply[1].decode("utf-8", "replace").replace("\x00", "")
        super().__init__(f"{self.code} {text}"[:300])

    @property
    def for_good(self) -> bool:
        return self.code >= 500

    @property
    def blames_the_address(self) -> bool:
        """A hard bounce: this recipient does not exist here."""
        if self.stage != "RCPT" or not self.for_good or self.code in {TOO_FULL, *OURS_TO_FIX}:
            return False
        return not POLICY.match(str(self))


class Lane:
    """A connection to the mail server, opened at the first mail and used for all of a batch."""

    def __init__(self) -> None:
        self._smtp: _Patient | None = None

    def __enter__(self) -> Lane:
        return self

    def __exit__(self, *exception: object) -> None:
        self.hang_up()

    def hang_up(self) -> None:
        """Close at once; a mail whose body has not ended is thrown away by the server."""
        if self._smtp is not None:
            self._smtp.close()
            self._smtp = None

    def deliver(self, letter: Letter, hand_over: Callable[[], bool]) -> str:
        """Give one letter to the server; returns a name that it gave to the mail, if any.

        `hand_over` is called between its 354 and the body: the last moment at which the mail has
        certainly not been delivered. When it returns False, nothing is delivered.
        Raises ValueError for an address that SMTP cannot carry, Unreachable and Refused when the
        mail was certainly not accepted. Any OSError or smtplib.SMTPException comes after
        `hand_over`, and leaves the mail in doubt.
        """
        envelope = _envelope(letter)
        smtp = self._until_data(envelope)
        if not hand_over():
            self.hang_up()
            return ""
        reply = smtp.say(_transparent(letter.content.rstrip(b"\r\n")) + b"\r\n.\r\n")[0]
        if reply[0] // 100 != 2:
            self._refused("DATA", reply)
        return ""

    def _until_data(self, envelope: list[bytes]) -> _Patient:
        """Up to the server's 354. A connection that has idled may be gone: then on a new one."""
        if self._smtp is not None:
            try:
                return self._open_mail(self._smtp, envelope)
            except (OSError, smtplib.SMTPException):
                self.hang_up()
        self._smtp = _connected()
        try:
            return self._open_mail(self._smtp, envelope)
        except (OSError, smtplib.SMTPException) as error:
            self.hang_up()
            raise Unreachable(f"{settings.EMAIL_HOST}: {error}", over_this_mail=True) from error

    def _open_mail(self, smtp: _Patient, envelope: list[bytes]) -> _Patient:
        """MAIL, RCPT and DATA: at once where the server can (RFC 2920), else one by one."""
        if smtp.has_extn("pipelining"):
            replies = smtp.say(b"".join(envelope), len(envelope))
        else:
            replies = []
            for line in envelope:
                replies += smtp.say(line)
                if replies[-1][0] >= 400:
                    break
        for stage, reply in zip(("MAIL", "RCPT", "DATA"), replies, strict=False):
            if reply[0] // 100 != (3 if stage == "DATA" else 2):
                if replies[-1][0] == 354:  # it waits for a body without a recipient
                    self.hang_up()
                self._refused(stage, reply)
        return smtp

    def _refused(self, stage: str, reply: tuple[int, bytes]) -> None:
        """Raise what the reply means, ready for the next mail."""
        refusal = Refused(stage, reply)
        if refusal.code in SLOW_DOWN:
            self.hang_up()
            raise Busy(str(refusal), over_this_mail=True)
        if stage == "MAIL" and refusal.for_good:
            self.hang_up()
            reason = f"{settings.EMAIL_HOST} does not take our sender: {refusal}"
            raise Unreachable(reason, over_this_mail=True)
        self._start_over()
        raise refusal

    def _start_over(self) -> None:
        if self._smtp is not None:
            try:
                self._smtp.rset()
            except (OSError, smtplib.SMTPException):
                self.hang_up()


def _envelope(letter: Letter) -> list[bytes]:
    if LINE_END.search(letter.sender + letter.recipient):
        raise ValueError("A line break in an address.")
    lines = f"MAIL FROM:<{letter.sender}>\r\n", f"RCPT TO:<{letter.recipient}>\r\n", "DATA\r\n"
    return [line.encode("ascii") for line in lines]


def _transparent(content: bytes) -> bytes:
    """Every dot at the beginning of a line doubled: a lone one ends the mail (RFC 5321, 4.5.2)."""
    return (b"\n" + content).replace(b"\n.", b"\n..")[1:]


def _connected() -> _Patient:
    """Raises Unreachable, or Busy when the server says that it will have time later."""
    try:
        return _connect()
    except smtplib.SMTPConnectError as no:
        said = no.smtp_error if isinstance(no.smtp_error, bytes) else no.smtp_error.encode()
        reason = f"{settings.EMAIL_HOST}: {Refused('connection', (no.smtp_code, said))}"
        raise (Busy if no.smtp_code < 500 else Unreachable)(reason) from no
    except (OSError, smtplib.SMTPException) as error:
        raise Unreachable(f"{settings.EMAIL_HOST}: {error or type(error).__name__}") from error


def _connect() -> _Patient:
    server = settings.EMAIL_HOST, settings.EMAIL_PORT
    options = {"timeout": settings.EMAIL_TIMEOUT, "local_hostname": DNS_NAME.get_fqdn()}
    if settings.EMAIL_USE_SSL:
        smtp: _Patient = _PatientOverTLS(*server, context=_trust(), **options)
    else:
        smtp = _Patient(*server, **options)
    try:
        smtp.ehlo_or_helo_if_needed()
        if settings.EMAIL_USE_TLS:
            smtp.starttls(context=_trust())
            smtp.ehlo_or_helo_if_needed()
        if settings.EMAIL_HOST_USER:
            smtp.login(settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD)
    except BaseException:
        smtp.close()
        raise
    return smtp


@cache
def _trust() -> ssl.SSLContext:
    """The authorities that this machine trusts: read once, which takes some 40 ms."""
    return ssl.create_default_context()


class _Patient(smtplib.SMTP):
    """Waits for a whole reply as long as `timeout`, not for each byte of it."""

    sock: Any  # None once it is closed, which no caller here looks at

    def say(self, words: bytes, answers: int = 1) -> list[tuple[int, bytes]]:
        """Send `words` and return the server's replies."""
        self.sock.settimeout(self.timeout)
        self.sock.sendall(words)
        return [self.getreply() for _ in range(answers)]

    def getreply(self) -> tuple[int, bytes]:
        if not isinstance(self.file, _Lines):
            self.file = _Lines(self.sock)
        self.file.deadline = time.monotonic() + self.timeout
        code, text = super().getreply()
        if not 200 <= code <= 599:
            raise smtplib.SMTPServerDisconnected(f"The server's reply is none: {code}")
        return code, text


class _PatientOverTLS(_Patient, smtplib.SMTP_SSL):
    """The same over TLS from the first byte."""


class _Lines:
    """The lines that come through a socket, each before `deadline` (seconds, monotonic)."""

    def __init__(self, sock: socket.socket):
        self.deadline = 0.0
        self._sock, self._buffer = sock, b""

    def readline(self, limit: int) -> bytes:
        """One line with its end, or `limit` bytes; empty when it was cut off. Raises OSError."""
        while b"\n" not in self._buffer and len(self._buffer) < limit:
            left = self.deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("timed out")
            self._sock.settimeout(left)
            received = self._sock.recv(GREEDY)
            if not received:
                return b""
            self._buffer += received
        end = min(self._buffer.find(b"\n") + 1 or limit, limit)
        line, self._buffer = self._buffer[:end], self._buffer[end:]
        return line

    def close(self) -> None:
        self._buffer = b""
