"""Fault 21 for all that tasks promise: nothing ran for six hours, in which everything came due.

What is overdue is a question to PostgreSQL, and shows at the first look. What is to be told goes
out in the first round of the clock, each once: the sweeps come before the sender, and none waits
for longer than a few ticks.
"""

from collections import Counter
from datetime import timedelta

import pytest
from celery import current_app
from django.utils import timezone

from surveys.admin import queue
from surveys.delivery.digest import morning_of
from surveys.loop import answer, ask, close, confirm, escalate, reach_out
from surveys.models import (
    Confirmation,
    Customer,
    Escalation,
    EscalationPolicy,
    EscalationRecipient,
    Message,
    OutreachTask,
    Slot,
    Tick,
)
from surveys.models.urgency import open_tasks, urgencies

pytestmark = pytest.mark.django_db(transaction=True)
HOUR = timedelta(hours=1)
DOWN = 6 * HOUR
EACH = 12  # tasks of each kind
SWEEPS = ["settle owners", "escalate tasks", "send digests", "confirm closings"]
AT_MOST = 60.0  # seconds from when the clock is back to when a notice is with the mail server


@pytest.fixture
def house(nps, account, alice, lead, root_cause):
    """A clock that was up to date six hours ago. Since then tasks have come to 36 hours unopened,
    to 72 hours not reached, and to 24 hours after a customer's no; and closings are a day old."""
    now = timezone.now()
    policy = EscalationPolicy.objects.create(name="Usual")
    for hours, waits_for, whom in ((36, "opened", "owner"), (48, "reached", "lead"),
                                   (72, "reached", "head")):  # fmt: skip
        told = {f"to_{whom}": True, "waits_for": waits_for, "since": now - 900 * HOUR}
        policy.steps.create(after_hours=hours, **told)
    EscalationRecipient.objects.create(name="Hedda", email="hedda@northwind.example", tier=3)
    alice.joined_at = now - 900 * HOUR
    for alice.time_zone in ("UTC", "Asia/Tokyo", "America/Los_Angeles"):
        if morning_of(alice, now) <= now:
            break
    alice.save()
    tasks = {
        "unopened": opened(nps, account, now, 36),
        "overdue": opened(nps, account, now, 72),
        "denied": opened(nps, account, now, 200),
        "closed": opened(nps, account, now, 60),
    }
    for task, back in zip(tasks["denied"], moments(24), strict=True):
        close_it(task, alice, root_cause, now - back - 25 * HOUR)
        confirm.ask(now - back - HOUR)
        confirm.answer(Confirmation.objects.get(task=task), "no", "", "", now - back)
    for task, back in zip(tasks["closed"], moments(24), strict=True):
        close_it(task, alice, root_cause, now - back)
    escalate.escalate(now - DOWN)
    Message.objects.update(state="sent", sent_at=now - DOWN)
    return tasks


def moments(hours: int) -> list[timedelta]:
    """So long ago, that the hours passed while nothing ran."""
    return [hours * HOUR + (n + 1) * DOWN / (EACH + 1) for n in range(EACH)]


def opened(nps, account, now, hours) -> list[OutreachTask]:
    people = [
        Customer.objects.create(account=account, email=f"c{hours}-{n}@mills.example")
        for n in range(EACH)
    ]
    asked = ask.invite(nps, people, f"test:{hours}", now - 300 * HOUR)
    given = zip(asked, moments(hours), strict=True)
    return [answer.give(one, 2, "", now - back)[0].task for one, back in given]


def close_it(task, by, root_cause, at) -> None:
    reach_out.log_contact(task, by, "phone", "spoke", "", at)
    close.close(task, by, root_cause, "recovered", "Sent a new one.", at)


def told(since) -> Counter:
    rows = Message.objects.filter(created_at__gt=since).select_related("user", "recipient")
    return Counter((row.kind, str(row.user or row.recipient or "customer")) for row in rows)


def test_what_came_due_shows_at_the_first_look(house, manager):
    """Though nothing has run: neither a sweep, nor a timer."""
    now = timezone.now()
    late = {task.pk for task in house["overdue"] + house["denied"]}
    assert OutreachTask.objects.overdue(now - DOWN).count() == 0
    assert set(OutreachTask.objects.overdue(now).values_list("pk", flat=True)) == late
    assert open_tasks().filter(urgencies(now)["overdue"]).count() == len(late)
    assert queue.counts(manager, now)["overdue"] == len(late)


NOTICES = Counter(
    {
        ("escalation", "Alice"): EACH,  # nobody has opened these
        ("escalation", "Hedda"): 2 * EACH,  # nobody was reached in 72 hours, or again in 24
        ("confirmation", "customer"): EACH,
        ("digest", "Alice"): 1,
    }
)


def test_each_notice_goes_out_once_whoever_sweeps(house, clockwork, sink):
    down = timezone.now() - DOWN
    clockwork("--clocks=2", "--senders=2")
    clockwork()  # what was found after the others had looked
    assert told(down) == NOTICES
    assert set(Message.objects.values_list("state", flat=True)) == {"sent"}
    assert (len(sink.kept), max(sink.times.values())) == (NOTICES.total(), 1)


def test_no_notice_waits_for_longer_than_a_minute():
    every = {name: entry["schedule"] for name, entry in current_app.conf.beat_schedule.items()}
    assert max(every[name] for name in SWEEPS) + every["send mail"] <= AT_MOST / 2


def test_one_round_of_one_clock_is_enough_and_it_is_the_rows_that_say_once(house, clockwork, sink):
    """What a sweep finds is sent in the same round, for the sender comes after the sweeps. The
    control: a clock that does not find what was told tells all of it again, the earlier steps too.
    """
    names = list(current_app.conf.beat_schedule)
    assert max(map(names.index, SWEEPS)) < names.index("send mail")
    clockwork()
    assert len(sink.kept) == NOTICES.total()
    Message.objects.filter(kind__in=["escalation", "digest"]).delete()
    Escalation.objects.all().delete()
    Tick.objects.all().delete()  # else it would look at the last hour only
    Slot.objects.filter(name__startswith="digest").delete()
    clockwork()
    assert len(sink.kept) == NOTICES.total() + (1 + 3 + 3) * EACH + 1
