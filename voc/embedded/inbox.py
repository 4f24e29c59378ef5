"""An SMTP server on loopback that keeps what it is sent: for the inbox page and the tests."""

import argparse
import email.policy
import mailbox
import re
import signal
from collections.abc import Iterable
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from voc.embedded.ports import LOOPBACK, any_free

NEWEST_KEPT = 2_000
NUMBERS = re.compile(r"(\d+)\.M(\d+)P\d+Q(\d+)")
PRUNE_EVERY = 100  # messages: looking at the whole folder for each would be slow


class Inbox:
    """Takes every mail at 127.0.0.1:`port` and stores it in the Maildir `directory`.

    Keeps about the `keep` newest. Each mail begins with the envelope as real servers record it:
    Return-Path, and one Delivered-To for each recipient. Port 0 takes any free one.
    """

    def __init__(self, directory: Path | str, port: int = 0, keep: int = NEWEST_KEPT):
        self.directory, self.keep = Path(directory), keep
        self.port = port or any_free()
        self.maildir = mailbox.Maildir(self.directory, create=True)
        self._stored = 0
        self._controller = Controller(
            self, hostname=LOOPBACK, port=self.port, enable_SMTPUTF8=True, ident="voc inbox"
        )

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.maildir.add(envelope_headers(envelope) + (envelope.original_content or b""))
        self._stored += 1
        if self._stored % PRUNE_EVERY == 0:
            self.prune()
        return "250 Kept"

    def prune(self) -> None:
        """Delete the oldest mails beyond `keep`."""
        for path in newest_first(self.directory)[self.keep :]:
            path.unlink(missing_ok=True)

    def messages(self) -> Iterable[EmailMessage]:
        """The mails kept, newest first."""
        parser = BytesParser(policy=email.policy.default)
        for path in newest_first(self.directory):
            with path.open("rb") as file:
                yield parser.parse(file)

    def start(self) -> Self:
        """Listen. Raises OSError when the port is taken."""
        self.prune()
        self._controller.start()
        return self

    def stop(self) -> None:
        """Finish the conversations and stop listening."""
        self._controller.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def newest_first(directory: Path) -> list[Path]:
    """The mails of a Maildir. Their names tell the order: two files may well share a time."""
    found = [*(directory / "new").glob("*"), *(directory / "cur").glob("*")]
    return sorted(found, key=_arrival, reverse=True)


def _arrival(path: Path) -> tuple[int, ...]:
    """Seconds, microseconds and count out of a name such as 1795448110.M2105P1285Q4.host."""
    return tuple(int(number) for number in NUMBERS.match(path.name).groups())


def envelope_headers(envelope: Envelope) -> bytes:
    """The envelope as header lines, the way a mail server writes it on delivery."""
    lines = [f"Return-Path: <{envelope.mail_from or ''}>"]
    lines += [f"Delivered-To: {address}" for address in envelope.rcpt_tos]
    return "".join(f"{line}\r\n" for line in lines).encode()


def main() -> None:
    """`python -m voc.embedded.inbox --port 8025 --dir var/inbox`, until SIGTERM or Ctrl-C."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--port", type=int, required=True)
    options.add_argument("--dir", type=Path, required=True)
    given = options.parse_args()
    stops = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, stops)
    with Inbox(given.dir, given.port):
        print(f"Listening on {LOOPBACK}:{given.port}, storing in {given.dir}", flush=True)
        signal.sigwait(stops)


if __name__ == "__main__":
    main()
