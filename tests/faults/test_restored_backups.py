"""Fault 45: a real dump, mails that go out, customers who are forgotten, and the dump put back."""

import subprocess
from collections import Counter
from contextlib import contextmanager
from datetime import datetime, timedelta

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from surveys import tasks
from surveys.delivery import send
from surveys.loop import ask, happen, remind
from surveys.loop.forget import forget
from surveys.models import Customer, Erasure, Message, Reminder, Suppression, Trigger
from tests.faults.conftest import url_of
from tests.planted import found_in_a_dump, planted_customer
from voc.embedded.postgres import program

pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1)


@pytest.fixture
def backup(sink, nps, account, tmp_path) -> tuple[str, datetime]:
    """A dump, and its end. A mail waits in it; a reminder and an event have just fallen due."""
    due, reminded, told = (
        Customer.objects.create(account=account, email=f"{name}@mills.example")
        for name in ("due", "reminded", "told")
    )
    now = timezone.now()
    ask.invite(nps, [reminded], "test:1", now - 6 * DAY)
    Message.objects.update(state="sent", sent_at=now - 6 * DAY)
    Reminder.objects.create(survey=nps, number=1, after_days=5)
    ask.invite(nps, [due], "test:2", now)
    Trigger.objects.create(survey=nps, source="own", happening="solved", delay_hours=0)
    happen.happen("own", "1", "solved", told, "", now, now)
    file = str(tmp_path / "dump")
    return dump_to(file), timezone.now()


def dump_to(file: str) -> str:
    run("pg_dump", "--format=custom", f"--file={file}", url_of())
    return file


@pytest.fixture
def sent_since(sink, backup) -> Counter:
    """What has gone out after the dump, by address."""
    now = timezone.now()
    assert (remind.remind(now), happen.ask_after_events(now)) == (1, 1)
    assert send.drain(timezone.now) == 3
    return Counter(sink.recipients)


@pytest.fixture
def restored(backup, sent_since):
    with put_back(backup[0]):
        yield


@contextmanager
def put_back(file: str):
    """The dump is put back into another database, and that is the one from here on."""
    original = connection.settings_dict["NAME"]
    name = f"{original}_restored"
    with psycopg.connect(url_of("postgres"), autocommit=True) as session:
        session.execute(f'CREATE DATABASE "{name}"')
        try:
            run("pg_restore", f"--dbname={url_of(name)}", file)
            move_to(name)
            yield
        finally:
            move_to(original)
            session.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def move_to(database: str) -> None:
    connection.close()
    connection.settings_dict["NAME"] = database


def run(name: str, *arguments: str) -> None:
    done = subprocess.run([str(program(name)), *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def go_on() -> None:
    """What the clock does: first the sweeps that write mails, then the sender."""
    for sweep in (tasks.plan_waves, tasks.send_reminders, tasks.ask_after_events, tasks.send_mail):
        sweep()


def test_after_a_restored_backup_nothing_is_sent_again(sink, sent_since, backup, restored, capsys):
    call_command("after_restore", backup[1].isoformat())
    assert "3 mails are held back and 0 waves are paused" in capsys.readouterr().out
    go_on()
    assert Counter(sink.recipients) == sent_since
    assert set(sent_since.values()) == {1}
    assert Counter(Message.objects.values_list("state", flat=True)) == {"held": 3, "sent": 1}


def test_without_the_command_every_mail_would_be_sent_again(sink, sent_since, restored):
    """The control."""
    go_on()
    assert Counter(sink.recipients) == dict.fromkeys(sent_since, 2)


@pytest.fixture
def forgotten_since(account, tmp_path, settings) -> str:
    """A dump of a customer who is forgotten after it was made, which is noted."""
    settings.ERASURE_LOG = str(tmp_path / "erasures.jsonl")
    customer = planted_customer(account)
    file = dump_to(str(tmp_path / "dump"))
    forget(customer, None, "", timezone.now(), Erasure.Cause.CUSTOMER)
    assert tasks.note_erasures() == 1
    assert found_in_a_dump() == set()
    return file


def test_a_restored_backup_forgets_again(forgotten_since, capsys):
    with put_back(forgotten_since):
        assert "quendoline" in found_in_a_dump()  # the control: the backup knows the customer
        call_command("after_restore", timezone.now().isoformat())
        assert "1 customers are forgotten again, of 1 in the log." in capsys.readouterr().out
        assert found_in_a_dump() == set()
        assert Suppression.objects.get().reason == "forgotten"
        call_command("after_restore", timezone.now().isoformat())
        assert "0 customers are forgotten again" in capsys.readouterr().out


def test_without_a_log_it_says_that_they_are_known_again(forgotten_since, settings, capsys):
    settings.ERASURE_LOG = ""
    with put_back(forgotten_since):
        call_command("after_restore", timezone.now().isoformat())
        assert "are known again. Forget them in the admin." in capsys.readouterr().out
        assert "quendoline" in found_in_a_dump()
