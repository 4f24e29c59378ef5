from datetime import timedelta

import pytest
from django.db import IntegrityError

from surveys.models import OutreachTask
from surveys.models.urgency import midnight, open_tasks, today, urgencies
from tests.analysis.rows import at, detractor

NOW = at("2026-03-10 09:00")


def due(nps, hours: float, **fields) -> OutreachTask:
    """Open, with so many hours left of its 72."""
    task = detractor(nps, NOW - timedelta(hours=72 - hours))
    OutreachTask.objects.filter(pk=task.pk).update(**fields)
    return task


def stands_under(task: OutreachTask) -> set[str]:
    rules = urgencies(NOW).items()
    return {name for name, rule in rules if open_tasks().filter(rule, pk=task.pk).exists()}


@pytest.mark.parametrize(
    ("hours", "names"),
    [
        (-1, {"overdue"}),
        (0, {"within_4", "within_24", "today"}),
        (3.9, {"within_4", "within_24", "today"}),
        (4, {"within_24", "today"}),
        (14.9, {"within_24", "today"}),
        (15, {"within_24"}),  # midnight in UTC
        (24, set()),
        (72, set()),
    ],
)
def test_what_the_hours_left_mean(nps, hours, names):
    assert stands_under(due(nps, hours)) == names


def test_who_was_reached_is_not_urgent_any_more(nps):
    assert stands_under(due(nps, -30, first_contact_at=NOW)) == {"reached"}


def test_after_a_denial_the_second_deadline_counts(nps):
    denied = NOW - timedelta(hours=21)
    fields = {
        "first_contact_at": NOW - timedelta(hours=90),
        "denied_at": denied,
        "second_due_at": denied + timedelta(hours=24),
    }
    task = due(nps, -60, **fields)
    assert stands_under(task) == {"within_4", "within_24", "today"}
    OutreachTask.objects.filter(pk=task.pk).update(second_contact_at=NOW)
    assert stands_under(task) == {"reached"}


def test_it_agrees_with_what_a_task_says_of_itself(nps):
    denied = NOW - timedelta(hours=25)
    late = {"denied_at": denied, "second_due_at": denied + timedelta(hours=24)}
    for hours in (-100, -1, 1, 50):
        for fields in ({}, {"first_contact_at": NOW}, late, late | {"first_contact_at": NOW}):
            due(nps, hours, **fields)
    found = set(open_tasks().filter(urgencies(NOW)["overdue"]))
    assert found == {task for task in OutreachTask.objects.all() if task.is_overdue(NOW)}
    assert found == set(OutreachTask.objects.overdue(NOW))


def test_what_is_over_is_not_urgent(nps):
    task = due(nps, -5, state=OutreachTask.State.WITHDRAWN, withdrawn_reason="A machine.")
    assert stands_under(task) == set()


def test_days_end_at_midnight_by_the_companys_clocks(settings):
    assert midnight(today(at("2026-03-10 16:00"))) == at("2026-03-10 00:00")
    settings.TIME_ZONE = "Asia/Tokyo"
    assert midnight(today(at("2026-03-10 16:00"))) == at("2026-03-10 15:00")


@pytest.mark.parametrize("half", [{"denied_at": NOW}, {"second_due_at": NOW}])
def test_a_denial_has_a_deadline_and_the_other_way_round(nps, half):
    with pytest.raises(IntegrityError, match="second_deadline"):
        due(nps, 5, **half)
