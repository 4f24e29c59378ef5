"""Events and kills: faults 1 and 2 (30 is in tests/surveys/loop/test_happen.py).

The one who tells is killed before the commit, or between the commit and the reply, and tells again
with the same id.
"""

import os
import signal
import subprocess
import sys

import pytest
from django.utils import timezone

from surveys.api import keys
from surveys.loop import happen
from surveys.models import ApiKey, Customer, Event, Invitation, Trigger
from tests.faults import teller
from tests.faults.conftest import ROOT, environment

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=["api", "hook"])
def way(request, nps, settings) -> str:
    """How it is told; each way has its trigger, which asks at once."""
    settings.HOOK_SECRETS = {"freshdesk": teller.SECRET}
    for source, happening in (("own", "ticket.solved"), ("freshdesk", "ticket.resolved")):
        Trigger.objects.create(survey=nps, source=source, happening=happening, delay_hours=0)
    return request.param


@pytest.fixture
def key(manager) -> str:
    return keys.issue("Help desk", manager, ApiKey.Scope.WRITE, timezone.now())[1]


def tell(way: str, key: str) -> int:
    """Tells in this process; the status of the answer."""
    response = teller.by_api(key) if way == "api" else teller.by_hook()
    return response.status_code


def killed(way: str, when: str, key: str = "") -> None:
    """Runs tests/faults/teller.py to its violent end."""
    more = {teller.KEY: key, "HOOK_SECRET_FRESHDESK": teller.SECRET}
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.teller", way, when],
        cwd=ROOT,
        env=os.environ | environment() | more,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


def stored() -> tuple[int, int]:
    return Event.objects.count(), Customer.objects.filter(email=teller.NEW).count()


def test_killed_before_the_commit_nothing_is_stored_and_telling_again_stores_it_once(way, key):
    killed(way, "commit", key)
    assert stored() == (0, 0)
    assert tell(way, key) == (201 if way == "api" else 200)
    assert stored() == (1, 1)


def test_killed_before_the_reply_telling_again_gives_the_same_answer(way, key):
    killed(way, "reply", key)
    assert stored() == (1, 1)
    before = Event.objects.values().get()
    assert tell(way, key) == 200
    assert Event.objects.values().get() == before
    assert stored() == (1, 1)


def test_killed_while_deciding_the_event_is_decided_once_by_the_next_sweep(way, key):
    tell(way, key)
    killed("sweep", "commit")
    assert (Event.objects.get().outcome, Invitation.objects.count()) == ("waiting", 0)
    assert happen.ask_after_events(timezone.now()) == 1
    assert happen.ask_after_events(timezone.now()) == 0
    assert (Event.objects.get().outcome, Invitation.objects.count()) == ("decided", 1)


def test_a_kill_after_the_decision_asks_nobody_twice(way, key):
    """The control, too: what the killed process has committed is seen here."""
    tell(way, key)
    killed("sweep", "reply")
    assert (Event.objects.get().outcome, Invitation.objects.count()) == ("decided", 1)
    assert happen.ask_after_events(timezone.now()) == 0
