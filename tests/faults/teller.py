"""Tells of an event, or decides on one, in a process of its own that dies by SIGKILL.

`python -m tests.faults.teller WAY WHEN`, on the database that the environment names. WAY: api (with
the key in TELLER_KEY), hook, or sweep. WHEN: commit (just before it) or reply (just after).
"""

import os
import signal
import sys

import django

NEW = "new@mills.example"
SECRET = "made up for these tests"
KEY = "TELLER_KEY"


def by_api(key: str):
    """A help desk of one's own tells of a solved ticket; returns the response."""
    from tests.surveys.api.conftest import Caller

    body = {
        "source": "own",
        "external_id": "4711-1",
        "happening": "ticket.solved",
        "subject": "ticket:4711",
        "customer": {"email": NEW},
        "create_customer": True,
    }
    return Caller(key).post("/api/v1/events/", body)


def by_hook():
    """Freshdesk tells of a resolved ticket; returns the response."""
    from tests.surveys.triggers.conftest import tell

    ticket = {"ticket_id": 11, "ticket_status": "Resolved", "ticket_contact_email": NEW}
    return tell("freshdesk", ticket, {"X-Voc-Secret": SECRET})


def die_while(way: str, when: str) -> None:
    from django.db import transaction
    from django.utils import timezone

    from surveys.loop import happen
    from surveys.models import Event

    def do() -> None:
        if way == "sweep":
            assert happen.ask_after_events(timezone.now()) == 1
        else:
            response = by_api(os.environ[KEY]) if way == "api" else by_hook()
            assert response.status_code < 300, response.content
        assert Event.objects.count() == 1

    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    if when == "commit":
        with transaction.atomic():
            do()
            die()
    do()
    die()


if __name__ == "__main__":
    django.setup()
    die_while(*sys.argv[1:])
