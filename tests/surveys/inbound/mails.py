"""Mails as they come in: what servers, people and their programs send."""


def reply(text="Nobody called me back.", sender="ines@lakeside.example", **headers) -> bytes:
    named = {
        "From": f"Ines Okafor <{sender}>",
        "To": "surveys@northwind.example",
        "Subject": "Re: How are we doing?",
        "Message-ID": "<reply.1@lakeside.example>",
        "Content-Type": "text/plain; charset=utf-8",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in named.items() if value is not None)
    return f"{head}\r\n{text}\r\n".encode()


def bounce(
    to="bounces@northwind.example",
    *,
    action="failed",
    status="5.1.1",
    about="ines@lakeside.example",
    original="",
    message_id="<bounce.1@mx.lakeside.example>",
) -> bytes:
    return f"""\
Return-Path: <>
Delivered-To: {to}
From: Mail Delivery System <MAILER-DAEMON@mx.lakeside.example>
To: {to}
Subject: Undelivered Mail Returned to Sender
Message-ID: {message_id}
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b1"

--b1
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not be delivered.

--b1
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.lakeside.example
Arrival-Date: Mon, 9 Mar 2026 10:00:00 +0000

Final-Recipient: rfc822; {about}
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 {status} <{about}>: no such user

--b1
Content-Type: text/rfc822-headers

{original}Subject: How are we doing?

--b1--
""".replace("\n", "\r\n").encode()


def complaint(original="", *, kind="abuse", mail_from="") -> bytes:
    said = f"Original-Mail-From: <{mail_from}>\n" if mail_from else ""
    return f"""\
From: <abuse@isp.example>
To: <surveys@northwind.example>
Subject: FW: How are we doing?
Message-ID: <arf.1@isp.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="b1"

--b1
Content-Type: text/plain

This is an email abuse report.

--b1
Content-Type: message/feedback-report

Feedback-Type: {kind}
User-Agent: SomeGenerator/1.0
Version: 1
{said}
--b1
Content-Type: message/rfc822
Content-Disposition: inline

{original}From: <surveys@northwind.example>
Subject: How are we doing?

Hello Ines,

--b1--
""".replace("\n", "\r\n").encode()


PROSE = b"""\
Return-Path: <>
From: MAILER-DAEMON@old.example
To: %s
Subject: failure notice
Message-ID: <prose.1@old.example>

Hi. This is the qmail-send program at old.example.
I'm afraid I wasn't able to deliver your message to the following addresses.
<ines@lakeside.example>: 192.0.2.7 does not like recipient.
Remote host said: 550 5.1.1 unknown user
"""
