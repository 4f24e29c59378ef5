"""Events and kills: faults 1 and 2 (30 is in tests/surveys/loop/test_happen.py).

The one who tells is killed by SIGKILL in a real process, before the commit or between the commit
and the reply, and tells again with the same id.
"""

import os
import signal

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from surveys.loop import happen
from surveys.models import ApiKey, Customer, Event, Invitation, Trigger
from tests.surveys.api.conftest import caller_for
from tests.surveys.triggers.conftest import tell

pytestmark = pytest.mark.django_db(transaction=True)

EVENTS = "/api/v1/events/"
NEW = "new@mills.example"
SECRET = "made up for these tests"


@pytest.fixture
def by_api(manager, nps):
    """Tells of a solved ticket by the API."""
    Trigger.objects.create(survey=nps, source="zendesk", happening="ticket.solved", delay_hours=0)
    caller = caller_for(manager, ApiKey.Scope.WRITE)
    body = {
        "source": "zendesk",
        "external_id": "4711-1",
        "happening": "ticket.solved",
        "subject": "ticket:4711",
        "customer": {"email": NEW},
        "create_customer": True,
    }
    return lambda: caller.post(EVENTS, body)


@pytest.fixture
def by_hook(nps, settings):
    """Tells of a resolved ticket as Freshdesk does."""
    settings.HOOK_SECRETS = {"freshdesk": SECRET}
    Trigger.objects.create(
        survey=nps, source="freshdesk", happening="ticket.resolved", delay_hours=0
    )
    ticket = {"ticket_id": 11, "ticket_status": "Resolved", "ticket_contact_email": NEW}
    return lambda: tell("freshdesk", ticket, {"X-Voc-Secret": SECRET})


@pytest.fixture(params=["by_api", "by_hook"])
def ask(request):
    return request.getfixturevalue(request.param)


def killed_while(do) -> None:
    """Runs `do` in a process of its own, which must end by SIGKILL."""
    connections.close_all()  # a forked process must not share a connection
    if (child := os.fork()) == 0:
        try:
            do()
        finally:
            os._exit(1)  # the kill did not come
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def stored() -> tuple[int, int]:
    return Event.objects.count(), Customer.objects.filter(email=NEW).count()


def test_killed_before_the_commit_nothing_is_stored_and_telling_again_stores_it_once(ask):
    def tell_and_die():
        with transaction.atomic():
            assert ask().status_code < 300
            assert Event.objects.count() == 1  # inside the transaction it is there
            kill()

    killed_while(tell_and_die)
    assert stored() == (0, 0)
    assert ask().status_code < 300
    assert stored() == (1, 1)


def test_killed_before_the_reply_telling_again_gives_the_same_answer(ask):
    def tell_and_die():
        assert ask().status_code < 300
        kill()

    killed_while(tell_and_die)
    assert stored() == (1, 1)
    before = Event.objects.values().get()
    assert ask().status_code == 200
    assert Event.objects.values().get() == before
    assert stored() == (1, 1)


def test_killed_while_deciding_the_event_is_decided_once_by_the_next_sweep(ask):
    ask()

    def decide_and_die():
        with transaction.atomic():
            assert happen.ask_after_events(timezone.now()) == 1
            kill()

    killed_while(decide_and_die)
    assert (Event.objects.get().outcome, Invitation.objects.count()) == ("waiting", 0)
    assert happen.ask_after_events(timezone.now()) == 1
    assert happen.ask_after_events(timezone.now()) == 0
    assert (Event.objects.get().outcome, Invitation.objects.count()) == ("decided", 1)


def test_without_one_transaction_a_kill_would_leave_half_of_it(by_api):
    """The control: the same death between two commits leaves a customer without their event."""

    def store_and_die():
        Customer.objects.create(email=NEW)
        kill()

    killed_while(store_and_die)
    assert stored() == (0, 1)
    assert connection.in_atomic_block is False
