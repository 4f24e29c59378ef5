"""The fast way of writing a mail says the same as the slow one of the standard library."""

import re
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import parseaddr
from html import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surveys.delivery.compiled import Form, Place, cut, mark, quoted, said
from surveys.delivery.headers import mailbox_line, one_line, text_line

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=120)
TEXT = ["Dear ", Place("name"), ",\n\n", "look: ", Place("link"), "?score=10 \n.\nTschüß\t\n"]
HTML = ["<p>Dear <b>", Place("name"), "</b></p>\n<a href='", Place("link"), "?a=1'>x</a>"]
LINK = "https://survey.example/a/abcdefgh234567"


def fast(name: str) -> bytes:
    """A mail filled in by our own code."""
    values = {"name": one_line(name), "link": LINK}
    top = [
        text_line("Subject", f"For {name}"),
        mailbox_line("From", "Northwind, Parcels", "surveys@northwind.example"),
        mailbox_line("To", name, "jo@mills.example"),
    ]
    return b"".join(top) + Form(TEXT, HTML).body(values)


def slow(name: str) -> bytes:
    """The same mail by the standard library, from whole texts."""
    values = {"name": one_line(name), "link": LINK}
    marked_up = {name: escape(value) for name, value in values.items()}
    mail = EmailMessage(policy=policy.SMTP)
    mail["Subject"] = one_line(f"For {name}")
    mail["From"] = Address("Northwind, Parcels", addr_spec="surveys@northwind.example")
    mail["To"] = Address(one_line(name)[:80].rstrip(), addr_spec="jo@mills.example")
    mail.set_content(said(TEXT, values), cte="quoted-printable")
    mail.add_alternative(said(HTML, marked_up), subtype="html", cte="quoted-printable")
    return mail.as_bytes()


def read(content: bytes) -> dict:
    """What a mail program makes of it."""
    mail = message_from_bytes(content, policy=policy.default)
    bodies = {kind: mail.get_body((kind,)).get_content() for kind in ("plain", "html")}
    return {
        "headers": {name: str(mail[name]) for name in ("Subject", "From")},
        "names": sorted({*mail.keys()} - {"MIME-Version", "Content-Type"}),
        "to": recipient(content),
        "bodies": {kind: " ".join(text.split()) for kind, text in bodies.items()},
        "defects": [part.defects for part in mail.walk()],
    }


def recipient(content: bytes) -> tuple[str, str]:
    """Name and address. The newer parser puts spaces between encoded words (RFC 2047, 6.2)."""
    name, address = parseaddr(message_from_bytes(content)["To"].replace("\r\n", ""))
    return str(make_header(decode_header(name))), address


@given(ANY_TEXT)
@settings(deadline=None, max_examples=150)
def test_a_filled_form_reads_like_a_mail_of_the_standard_library(name):
    ours = read(fast(name))
    if "=?" not in name:  # the standard library would decode what somebody is really called
        assert ours == read(slow(name))
    assert ours["headers"]["Subject"] == one_line(f"For {name}")
    assert ours["to"] == (one_line(name)[:80].rstrip(), "jo@mills.example")
    assert ours["names"] == ["From", "Subject", "To"]


@given(ANY_TEXT)
@settings(deadline=None, max_examples=150)
def test_its_lines_are_short_and_ended_by_crlf(name):
    content = fast(name)
    lines = content.split(b"\r\n")
    assert not re.search(rb"[\r\n]", b"".join(lines))
    assert max(map(len, lines)) <= 998
    body = content.partition(b"\r\n\r\n")[2]
    assert max(map(len, body.split(b"\r\n"))) <= 76
    assert all(byte < 128 for byte in content)


@given(st.text(max_size=300))
@settings(deadline=None)
def test_quoted_printable_loses_nothing(text):
    mail = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: "
    mail += b"quoted-printable\r\n\r\n" + quoted(text)
    read = message_from_bytes(mail).get_payload(decode=True).decode()
    assert read.replace("\r\n", "\n") == text.replace("\r\n", "\n").replace("\r", "\n")


@pytest.mark.parametrize("said_by_author", ["%%name%%", "{name}", "--=_voc--", "\r\n.\r\n"])
def test_what_people_write_is_never_taken_for_a_mark_or_a_boundary(said_by_author):
    template = f"{mark('intro')} {mark('name')}"
    pieces = cut(template, {"intro": [said_by_author]})
    assert said(pieces, {"name": "Jo"}) == f"{said_by_author} Jo"
    mail = b"Subject: x\r\n" + Form(pieces, pieces).body({"name": said_by_author})
    read = message_from_bytes(mail, policy=policy.default)
    assert [part.get_content_type() for part in read.walk()] == [
        "multipart/alternative", "text/plain", "text/html",
    ]  # fmt: skip
