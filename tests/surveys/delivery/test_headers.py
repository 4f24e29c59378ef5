"""No header can be broken out of, and only addresses that exist as such are written to."""

from email import message_from_bytes, policy

import pytest

from surveys.delivery.headers import deliverable, mailbox_line, one_line, text_line


def read(line: bytes):
    return message_from_bytes(line + b"\r\n", policy=policy.default)


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("Plain", "Plain"),
        ("one\r\nBcc: all@mills.example", "one Bcc: all@mills.example"),
        ("one\nX-Evil: 1", "one X-Evil: 1"),
        ("one\x00two", "one two"),
        ("one\u2028two\u2029three\x85four", "one two three four"),
        ("half \ud800 of one", "half of one"),
        ("=?utf-8?q?spoofed?=", "=?utf-8?q?spoofed?="),
        ("Grüße aus Łódź, 東京", "Grüße aus Łódź, 東京"),
        ("{{7*7}} {% load x %} ${jndi:ldap://x}", "{{7*7}} {% load x %} ${jndi:ldap://x}"),
        ("x" * 100_000, "x" * 200),
        ("é " * 50_000, ("é " * 100).strip()),
        ("a fairly long subject " * 8, ("a fairly long subject " * 8).strip()),
        ("", ""),
    ],
)
def test_a_subject_is_one_line_whatever_was_typed(typed, shown):
    mail = read(text_line("Subject", typed))
    assert (list(mail), mail["Subject"]) == (["Subject"], shown)


@pytest.mark.parametrize(
    "display",
    ["Ines Okafor", 'Smith, Jo <a@b>', 'The "Boss"', "back\\slash", "O'Hara (Ltd.)", "山田太郎",
     "=?utf-8?q?spoofed?=", "x" * 80],
)  # fmt: skip
def test_a_name_stays_a_name(display):
    [mailbox] = read(mailbox_line("To", display, "jo@mills.example"))["To"].addresses
    assert (mailbox.display_name, mailbox.addr_spec) == (display, "jo@mills.example")


@pytest.mark.parametrize(
    "display", ["x\r\nBcc: all@mills.example", "x\u2028y", "\x00", "\ud800", "x" * 100_000]
)
def test_a_name_brings_no_header_and_no_second_address(display):
    mail = read(mailbox_line("To", display, "jo@mills.example"))
    assert list(mail) == ["To"]
    assert [mailbox.addr_spec for mailbox in mail["To"].addresses] == ["jo@mills.example"]
    assert mail["To"].addresses[0].display_name == one_line(display)[:80]


@pytest.mark.parametrize(
    ("typed", "sent_to"),
    [
        ("jo@mills.example", "jo@mills.example"),
        (" jo+survey@mills.example ", "jo+survey@mills.example"),
        ("jo@bücher.example", "jo@xn--bcher-kva.example"),
        ("jo@straße.example", "jo@xn--strae-oqa.example"),
        ("jo@βόλος.example", "jo@xn--nxasmm1c.example"),
        ("jo@BÜCHER。example", "jo@xn--bcher-kva.example"),
        ("jo@Mills_2.example", "jo@Mills_2.example"),
        ('"jo smith"@mills.example', '"jo smith"@mills.example'),
        ("x" * 64 + "@" + "d" * 60 + ".example", "x" * 64 + "@" + "d" * 60 + ".example"),
    ],
)
def test_an_address_is_written_as_the_dns_knows_it(typed, sent_to):
    assert deliverable(typed) == sent_to


@pytest.mark.parametrize(
    "typed",
    ["", "jo", "@mills.example", "jo@", "Smith, Jo <a@b>", "a@b@c.example", "a b@mills.example",
     "jo..x@mills.example", "jö@mills.example", "jo@mills.example\r\nBcc: x@y",
     "jo@mills\x00.example", "\ud800@mills.example", "jo@" + "d" * 64 + ".example",
     "jo@☕.example", "jo@ja\u200dne.example", "jo@xn--ß.example", "jo@ß..example",
     "jo@" + "ß" * 64 + ".example", "x" * 320 + "@mills.example", "<jo@mills.example>"],
)  # fmt: skip
def test_what_no_mail_can_go_to_is_refused_with_a_reason(typed):
    with pytest.raises(ValueError, match="No mail can go to “"):
        deliverable(typed)
