"""The inbox takes mail over a real SMTP conversation, keeps the newest, and hides nothing."""

import os
import smtplib
import subprocess
import sys
from email.message import EmailMessage

from voc.embedded.inbox import Inbox
from voc.embedded.ports import LOOPBACK, answers, any_free
from voc.embedded.servers import ROOT, Server


def mail(subject: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"] = "surveys@northwind.example", "ines@lakeside.example"
    message["Subject"] = subject
    message.set_content("Wie zufrieden sind Sie? Übrigens: 日本語\n")
    return message


def send(port: int, *messages: EmailMessage, to: list[str] | None = None) -> None:
    with smtplib.SMTP(LOOPBACK, port) as smtp:
        for message in messages:
            smtp.send_message(message, to_addrs=to)


def test_a_mail_is_kept_as_it_came_with_its_envelope(tmp_path):
    with Inbox(tmp_path / "inbox") as inbox:
        send(inbox.port, mail("Grüße"), to=["ines@lakeside.example", "second@lakeside.example"])
        [kept] = inbox.messages()
    assert kept["Subject"] == "Grüße"
    assert kept["Return-Path"] == "<surveys@northwind.example>"
    assert kept.get_all("Delivered-To") == ["ines@lakeside.example", "second@lakeside.example"]
    assert kept.get_content() == "Wie zufrieden sind Sie? Übrigens: 日本語\n"


def test_the_newest_come_first_and_the_oldest_go(tmp_path):
    with Inbox(tmp_path / "inbox", keep=2) as inbox:
        send(inbox.port, *[mail(f"mail {number}") for number in range(4)])
        for number, path in enumerate(sorted((tmp_path / "inbox" / "new").iterdir())):
            assert f"mail {number}" in path.read_text()
            os.utime(path, (number, number))
        inbox.prune()
        assert [message["Subject"] for message in inbox.messages()] == ["mail 3", "mail 2"]


def test_it_begins_with_what_it_had(tmp_path):
    with Inbox(tmp_path / "inbox") as inbox:
        send(inbox.port, mail("before"))
    with Inbox(tmp_path / "inbox") as inbox:
        assert [message["Subject"] for message in inbox.messages()] == ["before"]


def test_as_a_process_of_its_own_it_stops_when_asked(tmp_path):
    port = any_free()
    command = [sys.executable, "-m", "voc.embedded.inbox", "--port", str(port), "--dir"]
    server = Server(
        "inbox",
        [*command, str(tmp_path / "inbox")],
        log=tmp_path / "log",
        ready=lambda: answers(port),
    )
    with server:
        send(port, mail("over there"))
        process = server.process
    assert process.returncode == 0
    assert [one["Subject"] for one in Inbox(tmp_path / "inbox").messages()] == ["over there"]


def test_a_taken_port_is_an_error_and_not_a_silence(tmp_path):
    with Inbox(tmp_path / "first") as inbox:
        command = [sys.executable, "-m", "voc.embedded.inbox", "--port", str(inbox.port), "--dir"]
        done = subprocess.run(
            [*command, str(tmp_path / "second")], cwd=ROOT, capture_output=True, text=True
        )
    assert done.returncode == 1
    assert "address already in use" in done.stderr
