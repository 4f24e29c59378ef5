"""Header lines that nobody can break out of: one line of text, encoded and folded (RFC 5322, 2047).

Names of headers are constants in our own code; only values come from people.
"""

from __future__ import annotations

import re
from email.errors import MessageError
from email.header import Header
from email.headerregistry import Address
from textwrap import wrap

from surveys.models.domains import in_ascii

UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
PLAIN = re.compile(r"[\x20-\x7e]*")
PLAIN_NAME = re.compile(r"[\w!#$%&'*+/=?^`{|}~ -]*", re.ASCII)  # a phrase that needs no quotes
PLAIN_ADDRESS = re.compile(r"[\w!#$%&'*+/=?^`{|}~-]+(\.[\w!#$%&'*+/=?^`{|}~-]+)*@[\w.-]+", re.ASCII)
LONGEST_TEXT, LONGEST_NAME = 200, 80  # characters
LONGEST_ADDRESS = 254  # RFC 5321, 4.5.3.1.3, with its errata 1690
WIDTH = 76


def one_line(text: str) -> str:
    """At most 200 characters without line breaks, control characters or halves of characters."""
    return " ".join(UNPRINTABLE.sub(" ", text).split())[:LONGEST_TEXT].rstrip()


def text_line(name: str, text: str) -> bytes:
    """A header of free text, such as a subject."""
    text = one_line(text)
    if not PLAIN.fullmatch(text) or "=?" in text:
        return _line(name, _encoded(name, text))
    if len(name) + len(text) > WIDTH:
        text = "\r\n ".join(
            wrap(text, WIDTH - len(name), break_long_words=False, break_on_hyphens=False)
        )
    return _line(name, text)


def mailbox_line(name: str, display: str, address: str) -> bytes:
    """A header that holds one address with the name shown for it."""
    display = one_line(display)[:LONGEST_NAME].rstrip()
    mailbox = f"<{address}>"
    if not display:
        return _line(name, mailbox)
    if not PLAIN.fullmatch(display) or "=?" in display:
        return _line(name, f"{_encoded(name, display)}\r\n {mailbox}")
    if not PLAIN_NAME.fullmatch(display):
        display = '"' + display.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return _line(name, f"{display}\r\n {mailbox}" if len(display) > 40 else f"{display} {mailbox}")


def deliverable(email: str) -> str:
    """The address as it goes into an envelope: in ASCII, its domain as the DNS knows it.

    Raises ValueError with a sentence that says what is wrong with it.
    """
    local, at, domain = email.strip().rpartition("@")
    try:
        address = f"{local}{at}{in_ascii(domain)}"
        if not PLAIN_ADDRESS.fullmatch(address):
            address = Address(addr_spec=address).addr_spec
        address.encode("ascii")
    except (ValueError, IndexError, MessageError) as error:  # its parser raises all of these
        raise ValueError(f"No mail can go to “{one_line(email)}”: {error}") from error
    if len(address) > LONGEST_ADDRESS:
        raise ValueError(
            f"No mail can go to “{one_line(email)[:40]}…”: it has more than "
            f"{LONGEST_ADDRESS} characters."
        )
    return address


def _line(name: str, value: str) -> bytes:
    return f"{name}: {value}\r\n".encode("ascii")


def _encoded(name: str, text: str) -> str:
    return Header(text, "utf-8", header_name=name, maxlinelen=WIDTH).encode(linesep="\r\n")
