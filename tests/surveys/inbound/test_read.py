import pytest

from surveys.inbound.read import SIZE, read
from tests.surveys.inbound import mails

MULTIPART = b"""\
From: ines@lakeside.example
Message-ID: <m@lakeside.example>
Content-Type: multipart/mixed; boundary="outer"

--outer
Content-Type: multipart/alternative; boundary="inner"

--inner
Content-Type: text/html; charset=utf-8

<html><head><title>Mail</title><style>p {color: red}</style></head>
<body><!--[if mso]> <p>Outlook</p> <![endif]-->
<p>Nobody called &amp; nobody wrote.</p><script>alert(1)</script><p>Ines</p></body></html>

--inner--
--outer
Content-Type: text/plain; charset=utf-8
Content-Disposition: attachment; filename="notes.txt"

What is in an attachment.

--outer--
"""


def test_a_reply_of_a_person():
    mail = read(mails.reply(In_Reply_To="<voc.7.invitation@northwind.example>"))
    assert (mail.kind, mail.sender, mail.subject, mail.text, mail.message_id, mail.answers) == (
        "reply",
        "ines@lakeside.example",
        "Re: How are we doing?",
        "Nobody called me back.",
        "<reply.1@lakeside.example>",
        ["<voc.7.invitation@northwind.example>"],
    )


@pytest.mark.parametrize(
    ("action", "status", "verdict"),
    [
        ("failed", "5.1.1", "hard_bounce"),
        ("failed", "5.2.1", "hard_bounce"),
        ("Failed", "5.0.0", "hard_bounce"),
        ("failed", "5.2.2", "soft_bounce"),  # the mailbox is full
        ("failed", "5.7.1", "soft_bounce"),  # they do not like us, which is not the address' fault
        ("failed", "4.4.7", "soft_bounce"),  # tried for days, given up
        ("delayed", "4.4.7", ""),  # still trying
        ("relayed", "2.1.5", ""),
        ("failed", "nonsense", "soft_bounce"),
    ],
)
def test_a_bounce_says_what_it_says(action, status, verdict):
    mail = read(mails.bounce(action=action, status=status))
    assert (mail.kind, mail.report.verdict) == ("bounce", verdict)


def test_a_bounce_names_the_mail_that_came_back():
    original = (
        "Return-Path: <bounces+7-x@northwind.example>\n"
        "Message-ID: <voc.7.invitation@northwind.example>\n"
        f"List-Unsubscribe: <https://feedback.example/u/{'a2' * 13}>\n"
    )
    report = read(mails.bounce("BOUNCES+7-x@northwind.example", original=original)).report
    assert (report.recipient, report.message_id, report.return_path, report.token) == (
        "ines@lakeside.example",
        "<voc.7.invitation@northwind.example>",
        "bounces+7-x@northwind.example",
        "a2" * 13,
    )
    assert report.detail == "smtp; 550 5.1.1 <ines@lakeside.example>: no such user"


@pytest.mark.parametrize(
    ("kind", "verdict"),
    [("abuse", "complaint"), ("fraud", "complaint"), ("opt-out", "unsubscribed")],
)
def test_a_complaint_says_what_it_says(kind, verdict):
    mail = read(mails.complaint("Message-ID: <voc.7.invitation@x.example>\n", kind=kind))
    assert (mail.kind, mail.report.verdict) == ("complaint", verdict)
    assert mail.report.message_id == "<voc.7.invitation@x.example>"


@pytest.mark.parametrize("kind", ["not-spam", "auth-failure", "virus"])
def test_a_report_that_is_no_complaint_has_no_verdict(kind):
    assert read(mails.complaint(kind=kind)).report.verdict == ""


def test_a_bounce_in_prose_is_read_by_its_status_code():
    mail = read(mails.PROSE % b"bounces@northwind.example")
    assert (mail.kind, mail.report.verdict) == ("bounce", "hard_bounce")


def test_a_bounce_in_prose_without_a_code_is_the_milder_one():
    vague = (mails.PROSE % b"bounces@northwind.example").replace(b"550 5.1.1 ", b"")
    assert read(vague).report.verdict == "soft_bounce"


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Auto_Submitted": "auto-generated; x=y"},
        {"X_Autoreply": "yes"},
        {"Precedence": "bulk"},
        {"Subject": "Out of Office: back on Monday"},
        {"Subject": "=?utf-8?q?R=C3=A9ponse_automatique_=3A_absent?="},
        {"Subject": "Automatische Antwort: Umfrage"},
    ],
)
def test_a_machine_answers(headers):
    assert read(mails.reply(**headers)).kind == "auto_reply"


def test_a_person_answers_though_the_mail_says_that_no_machine_did():
    assert read(mails.reply(Auto_Submitted="no")).kind == "reply"


def test_a_bounce_that_somebody_attaches_is_a_reply():
    attached = b"""\
From: ines@lakeside.example
Message-ID: <fwd@lakeside.example>
Content-Type: multipart/mixed; boundary="fwd"

--fwd
Content-Type: text/plain

Look what I got.
--fwd
Content-Type: message/rfc822

%s
--fwd--
"""
    mail = read(attached % mails.bounce())
    assert (mail.kind, mail.report, mail.text) == ("reply", None, "Look what I got.")


def test_html_is_read_as_text_and_an_attachment_is_not_read():
    assert read(MULTIPART).text == "Nobody called & nobody wrote.\n\nInes"


@pytest.mark.parametrize(
    "history",
    [
        "On Mon, 9 Mar 2026 at 10:00, Northwind <surveys@northwind.example> wrote:\n> Hello\n",
        "Am 09.03.2026 um 10:00 schrieb Northwind:\n> Hallo\n",
        "-----Original Message-----\nFrom: Northwind\n",
        "> Hello Ines,\n> how are we doing?\n",
        "________________________________\nFrom: Northwind\n",
    ],
)
def test_what_they_quote_is_left_out(history):
    assert read(mails.reply(f"Nobody called.\n\n{history}")).text == "Nobody called."


def test_a_mail_of_nothing_but_quotes_is_kept_whole():
    assert (
        read(mails.reply("> Hello Ines,\n> fine, thanks")).text == "> Hello Ines,\n> fine, thanks"
    )


def test_a_long_mail_is_cut():
    assert len(read(mails.reply("word " * 5_000)).text) == 5_000


@pytest.mark.parametrize("charset", ["bogus", "utf-16", "unicode_escape", "idna", "zlib", '"'])
def test_a_charset_that_is_none_harms_nobody(charset):
    mail = read(mails.reply(Content_Type=f"text/plain; charset={charset}"))
    assert mail.kind == "reply"


def test_what_the_database_cannot_hold_is_taken_out():
    mail = read(mails.reply("a\x00b\x1b[31mc", Subject="a\x00b =?utf-8?b?7aCA?="))
    assert mail.text == "ab[31mc"
    assert "\x00" not in mail.subject
    mail.subject.encode()


def test_a_mail_without_an_id_gets_the_same_one_each_time_it_comes():
    first, again = mails.reply(Message_ID=None), mails.reply(Message_ID=None, Received="by mx2")
    other = mails.reply("Something else", Message_ID=None)
    ids = [read(raw).message_id for raw in (first, again, other)]
    assert ids[0] == ids[1] != ids[2]
    assert ids[0].endswith("@no-message-id>")


@pytest.mark.parametrize(
    "message_id",
    ["", "no brackets", "<" + "x" * 5_000 + "@long.example>", "<a b@c>", "<\x00\x00\x00>"],
)
def test_an_id_that_is_none_is_replaced(message_id):
    mail = read(mails.reply(Message_ID=message_id))
    assert len(mail.message_id) <= 250
    assert mail.message_id.endswith(("@no-message-id>", ">"))
    assert "\x00" not in mail.message_id


def nested(depth):
    opening = b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (i, i)
        for i in range(depth)
    )
    return b"From: a@b.example\r\nMessage-ID: <n@b.example>\r\n" + opening + b"\r\nhello"


HOSTILE = {
    "nothing": b"",
    "noise": bytes(range(256)) * 400,
    "only line ends": b"\r\n" * 100_000,
    "ten thousand headers": b"".join(b"X-%d: y\r\n" % i for i in range(10_000)) + b"\r\nhello",
    "ten thousand recipients": b"To: " + b"a@b.example, " * 10_000 + b"\r\n\r\nhello",
    "ten thousand references": b"References: " + b"<a@b.example> " * 10_000 + b"\r\n\r\nhello",
    "nested ten deep": nested(10),
    "nested five hundred deep": nested(500),
    "one endless header": b"Subject: " + b"=?utf-8?q?=41?= " * 50_000,
    "one endless address": b"From: " + b"(" * 100_000 + b"\r\n\r\n",
    "a report without fields": mails.bounce().replace(b"Action", b"X").replace(b"Status", b"Y"),
    "a report that ends at once": mails.bounce()[:700],
    "a boundary that never comes": mails.bounce().replace(b"--b1", b""),
    "base64 that is none": mails.reply("%%%", Content_Transfer_Encoding="base64"),
    "an unknown encoding": mails.reply(Content_Transfer_Encoding="x-zip-bomb"),
    "parameters of parameters": mails.reply(
        Content_Type="text/plain; charset*0*=a''%; charset*1=b"
    ),
    "markup without end": mails.reply("<p" * 50_000, Content_Type="text/html"),
    "markup declarations": mails.reply("<![x[" * 20_000, Content_Type="text/html"),
    "larger than we read": mails.reply("x" * (2 * SIZE)),
}


@pytest.mark.parametrize("raw", HOSTILE.values(), ids=HOSTILE.keys())
def test_no_mail_stops_the_reading_of_the_others(raw):
    mail = read(raw)
    assert mail.kind in {"reply", "auto_reply", "bounce", "complaint", "other"}
    assert 0 < len(mail.message_id) <= 250
    (mail.sender + mail.subject + mail.text).encode()
    assert "\x00" not in mail.sender + mail.subject + mail.text + mail.message_id
