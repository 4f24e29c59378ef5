"""Faults 20 and 21 for what is told on the clock: two clocks at once, and one that was down."""

from collections import Counter
from datetime import timedelta

import pytest
from django.utils import timezone

from surveys.delivery.digest import morning_of
from surveys.loop import answer, ask
from surveys.models import (
    Customer,
    Escalation,
    EscalationPolicy,
    EscalationRecipient,
    Invitation,
    Message,
    OutreachTask,
    Tick,
)

pytestmark = pytest.mark.django_db(transaction=True)
HOUR = timedelta(hours=1)
DOWN = 6 * HOUR
LATE = 40  # tasks, that came to 72 hours while the clock was down


@pytest.fixture
def late(nps, account, alice, lead):
    """Tasks that passed 48 hours before, and 72 hours while, the clock was down for six."""
    now = timezone.now()
    policy = EscalationPolicy.objects.create(name="Usual")
    since = now - 900 * HOUR
    policy.steps.create(after_hours=72, to_owner=True, to_head=True, since=since)
    EscalationRecipient.objects.create(name="Hedda", email="hedda@northwind.example", tier=3)
    for number in range(LATE):
        Customer.objects.create(account=account, email=f"c{number}@mills.example")
    began = now - 72 * HOUR - DOWN
    ask.invite(nps, Customer.objects.all(), "test:1", began - HOUR)
    for number, invitation in enumerate(Invitation.objects.order_by("pk")):
        answer.give(invitation, 2, "", began + (number + 1) * DOWN / (LATE + 1))
    Message.objects.update(state="sent", sent_at=began)
    alice.joined_at = since
    zones = ("UTC", "Asia/Tokyo", "America/Los_Angeles")  # somewhere it is past 8 already
    for alice.time_zone in zones:
        if morning_of(alice, now) <= now:
            break
    alice.save()


def told() -> Counter:
    rows = Message.objects.filter(kind="escalation").values_list("user__name", "recipient__name")
    return Counter(user or recipient for user, recipient in rows)


def test_two_clocks_tell_each_step_once(late, clockwork, sink):
    assert OutreachTask.objects.overdue(timezone.now()).count() == LATE
    clockwork("--clocks=2", "--senders=2")
    clockwork("--clocks=2")  # what was found after the others had looked
    assert told() == {"Alice": LATE, "Hedda": LATE}
    assert Escalation.objects.count() == LATE
    assert Message.objects.filter(kind="digest").count() == 1
    assert max(sink.times.values()) == 1
    assert set(Message.objects.values_list("state", flat=True)) == {"sent"}
    assert set(OutreachTask.objects.values_list("level", flat=True)) == {3}


def test_it_is_the_rows_that_say_once(late, clockwork, sink):
    """The control: without what was kept of each step, the next clock tells of it again."""
    clockwork()
    assert told() == {"Alice": LATE, "Hedda": LATE}
    sent = len(sink.kept)
    clockwork()
    assert len(sink.kept) == sent
    Message.objects.filter(kind="escalation").delete()
    Escalation.objects.all().delete()
    Tick.objects.all().delete()  # else it would look at the last hour only
    clockwork()
    assert len(sink.kept) == sent + 2 * LATE
