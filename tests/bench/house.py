"""What a benchmark of sending stands on: a PostgreSQL with fsync, a sink, invitations that are due.

Importing this names the database in the environment, so import it before anything of Django.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from voc.embedded.ports import LOOPBACK, any_free, is_free
from voc.embedded.postgres import Postgres

ROOT = Path(__file__).resolve().parents[2]
HOME = Path(tempfile.mkdtemp(prefix="voc-bench-"))
HOME.chmod(0o755)  # the database runs as somebody else when we are root
DATABASE = Postgres(HOME / "pg", fsync=True)
RECORD = HOME / "taken"
SMTP_PORT = any_free()
os.environ |= {
    "DJANGO_SETTINGS_MODULE": "voc.settings",
    "TESTING": "1",
    "SECRET_KEY": "benchmarks-only",
    "CONTACT_EMAIL": "surveys@northwind.example",
    "DATABASE_URL": DATABASE.url,
    "EMAIL_URL": f"smtp://{LOOPBACK}:{SMTP_PORT}",
    "EMAIL_TIMEOUT": "20",
    "MAIL_RATE": "0",
    "CELERY_BROKER_URL": "",
    "LOG_LEVEL": "CRITICAL",  # a killed sender is no news here
}


@contextmanager
def open_house(*options: str) -> Iterator[None]:
    """Everything runs and the tables are there. `options` are the sink's."""
    sink = None
    try:
        with DATABASE:
            server = ["-m", "tests.faults.sink", "--port", str(SMTP_PORT), "--record", str(RECORD)]
            sink = subprocess.Popen([sys.executable, *server, *options], cwd=ROOT)
            subprocess.run(
                [sys.executable, "manage.py", "migrate", "--verbosity", "0"], cwd=ROOT, check=True
            )
            while is_free(SMTP_PORT):
                time.sleep(0.05)
            yield
    finally:
        if sink:
            sink.terminate()
            sink.wait()
        shutil.rmtree(HOME, ignore_errors=True)


def start_django() -> None:
    import django

    django.setup()


def survey():
    """One NPS survey with words, that may be sent at any hour."""
    from surveys.models import Survey, Wording

    one, is_new = Survey.objects.get_or_create(
        name="Relationship",
        defaults={"send_from": 0, "send_until": 24, "working_days_only": False},
    )
    if is_new:
        Wording.objects.create(
            survey=one,
            subject="How are we doing, {name}?",
            question="How likely are you to recommend {company}?",
            low_label="Not at all likely",
            high_label="Extremely likely",
            comment_label="What is the main reason?",
            thanks="Thank you. We read every answer.",
        )
    return one


def queue_invitations(number: int) -> None:
    """Put the invitations of so many new customers into the outbox, due now."""
    from django.db import transaction
    from django.utils import timezone

    from surveys.models import Customer, Invitation, Message

    now, asked = timezone.now(), survey()
    with transaction.atomic():
        first = Customer.objects.count()
        customers = Customer.objects.bulk_create(
            Customer(name=f"Customer {i}", email=f"c{i}@northwind.example")
            for i in range(first, first + number)
        )
        expires_at = now + timedelta(days=30)
        invitations = Invitation.objects.bulk_create(
            Invitation(
                survey=asked, customer=customer, occasion="bench", language="en",
                created_at=now, expires_at=expires_at,
            ).seal()
            for customer in customers
        )  # fmt: skip
        Message.objects.bulk_create(
            Message(
                kind=Message.Kind.INVITATION, dedupe_key=f"invite:{one.pk}:0", invitation=one,
                next_at=now, created_at=now,
            )
            for one in invitations
        )  # fmt: skip
