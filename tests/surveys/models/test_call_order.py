from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from surveys.models import Account, Customer, OutreachTask
from surveys.models.call_order import CallOrder, in_order, parts, value_band
from tests.analysis.rows import detractor

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
HIGH, LOW = 100_000, 99_999


@pytest.fixture
def due(nps):
    """Opens a task with so many hours left, of an account with such a revenue and renewal."""

    def open_one(name: str, hours: float, revenue=None, renews_in=None, **fields) -> OutreachTask:
        renews = NOW.date() + timedelta(days=renews_in) if renews_in is not None else None
        account = Account.objects.create(name=name, revenue=revenue, renews_on=renews)
        customer = Customer.objects.create(name=name, account=account)
        task = detractor(nps, NOW - timedelta(hours=72 - hours), customer=customer)
        OutreachTask.objects.filter(pk=task.pk).update(**fields)
        return task

    return open_one


def order(zone=UTC) -> list[str]:
    rows = OutreachTask.objects.open().with_deadline().select_related("customer")
    by_sorting = [task.customer.name for task in in_order(rows, NOW, zone)]
    many = CallOrder(rows, NOW, zone)
    in_slices = [task.customer.name for n in range(len(many)) for task in many[n : n + 1]]
    assert in_slices == by_sorting == [task.customer.name for task in many[0:99]]
    return by_sorting


def test_what_is_nearly_too_late_comes_before_what_is_worth_more(due):
    due("rich, in 5 h", 5, HIGH, 30)
    due("poor, in 3 h", 3.9)
    due("poor, overdue", -20)
    due("rich, overdue", -10, HIGH)
    assert order() == ["poor, overdue", "rich, overdue", "poor, in 3 h", "rich, in 5 h"]


def test_of_one_day_the_more_valuable_come_first_and_then_the_earlier(due):
    due("others, late", 14)
    due("others, early", 5, LOW, 91)
    due("renews soon", 13, LOW, 90)
    due("high, late", 12, HIGH)
    due("high, early", 6, HIGH, -1)  # has renewed
    due("high, renews soon", 14.5, HIGH, 0)
    due("high, tomorrow", 20, HIGH, 10)
    assert order() == [
        "high, renews soon", "high, early", "high, late", "renews soon", "others, early",
        "others, late", "high, tomorrow",
    ]  # fmt: skip


def test_days_are_those_of_the_reader(due):
    """15 hours are left of the day in UTC, 14 in Berlin."""
    due("poor", 13)
    due("rich", 14.5, HIGH)
    assert order(UTC) == ["rich", "poor"]
    assert order(BERLIN) == ["poor", "rich"]


def test_whoever_has_been_reached_comes_last_and_after_a_denial_the_second_deadline_counts(due):
    due("reached, long ago", -30, HIGH, first_contact_at=NOW)
    due("in 2 h", 2)
    denied = NOW - timedelta(hours=23)
    second = {"denied_at": denied, "second_due_at": denied + timedelta(hours=24)}
    due("denied, 1 h left", -40, first_contact_at=denied, **second)
    due("reached again", -50, first_contact_at=denied, second_contact_at=NOW, **second)
    assert order() == ["denied, 1 h left", "in 2 h", "reached again", "reached, long ago"]


def test_the_parts_hold_every_task_once(due):
    """Also at their edges: 4 hours, each midnight, and beyond the last day."""
    for hours in (-1, 0, 3.99, 4, 14.99, 15, 38.99, 39, 62.99, 63, 71.99, 72):
        due(f"in {hours}", hours)
    rows = OutreachTask.objects.open().with_deadline()
    assert sum(CallOrder(rows, NOW, UTC).sizes) == 12
    assert CallOrder(rows, NOW, UTC).sizes == [3, 2, 2, 2, 3, 0]


def test_at_night_the_next_day_begins_within_4_hours():
    late = datetime(2026, 3, 10, 22, 0, tzinfo=UTC)
    starts = [dict(part.rule.children)["deadline__gte"] for part in parts(late, UTC)[1:-1]]
    assert starts[0] == starts[1] == late + timedelta(hours=4)
    assert all(before <= after for before, after in pairwise(starts))


def test_high_is_what_the_setting_says(due, settings):
    settings.HIGH_REVENUE = 1_000
    due("high now", 14, 1_000)
    due("not", 5, 999)
    assert order() == ["high now", "not"]


def test_without_an_account_a_task_is_among_the_others(nps):
    detractor(nps, NOW)
    bands = OutreachTask.objects.annotate(band=value_band(date(2026, 3, 10)))
    assert [task.band for task in bands] == [3]
