import os
import subprocess
import sys

import pytest

from surveys import tasks
from surveys.models import InboundMail, Tick
from tests.surveys.inbound import mails
from tests.surveys.inbound.imap import Mailbox


@pytest.mark.django_db(transaction=True)
def test_the_sweep_of_the_mailbox_takes_in_and_leaves_a_tick(settings, customer):
    with Mailbox([mails.reply()]) as box:
        settings.INBOUND_URL = box.url
        assert tasks.read_mailbox() == 1
    assert Tick.objects.filter(name="read mailbox").exists()


@pytest.mark.django_db
def test_the_sweep_of_the_inbox_takes_in_and_leaves_a_tick(settings, tmp_path, customer):
    for folder in ("new", "cur"):
        (tmp_path / folder).mkdir()
    envelope = b"Return-Path: <>\r\nDelivered-To: surveys+tag@Northwind.example\r\n"
    (tmp_path / "new" / "1.M1P1Q1.host").write_bytes(envelope + mails.reply())
    settings.INBOX_DIR = str(tmp_path)
    assert tasks.read_inbox() == 1
    assert (InboundMail.objects.count(), Tick.objects.get().name) == (1, "read inbox")


@pytest.mark.parametrize(
    ("environment", "swept"),
    [
        ({}, []),
        ({"INBOUND_URL": "imap+ssl://a:b@mail.example"}, ["read mailbox"]),
        ({"EMBEDDED": "1", "INBOX_DIR": "var/inbox"}, ["read inbox"]),
    ],
)
def test_only_what_is_there_is_swept(environment, swept):
    said = subprocess.run(
        [
            sys.executable,
            "-c",
            "from voc.celery import app; print(*app.conf.beat_schedule, sep=';')",
        ],
        env={**os.environ, "INBOUND_URL": "", "EMBEDDED": "0", **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    assert [name for name in said.stdout.strip().split(";") if name.startswith("read ")] == swept
