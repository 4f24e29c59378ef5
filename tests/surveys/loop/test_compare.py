from datetime import timedelta

import pytest

from surveys.loop import answer, ask, close, compare, reach_out
from surveys.models import AuditEntry, OutreachTask
from tests.conftest import correct

DAY = timedelta(days=1)


@pytest.fixture
def closed(nps, customer, alice, root_cause, now):
    """Answered with a 2 today, closed tomorrow."""
    invitation = ask.invite(nps, [customer], "event:1", now)[0]
    task = answer.give(invitation, 2, "Broken.", now)[0].task
    reach_out.log_contact(task, alice, "phone", "spoke", "", now + DAY)
    return close.close(task, alice, root_cause, "recovered", "Replaced it.", now + DAY)


def answers(survey, customer, score, at):
    invitation = ask.invite(survey, [customer], f"event:{at:%j%H}", at)[0]
    return answer.give(invitation, score, "", at)[0]


def shifts():
    return list(OutreachTask.objects.order_by("pk").values_list("shift", flat=True))


def test_the_next_answer_after_the_closing_is_compared_with_this_one(nps, closed, customer, now):
    assert (compare.compare(now + 30 * DAY), shifts()) == (0, [None])
    answers(nps, customer, 8, now + 40 * DAY)
    answers(nps, customer, 10, now + 80 * DAY)
    assert (compare.compare(now + 90 * DAY), shifts()) == (1, [6])
    assert (compare.compare(now + 91 * DAY), shifts()) == (0, [6])
    entry = AuditEntry.objects.filter(verb="compare").get()
    assert (entry.before, entry.after) == ({"shift": None}, {"shift": 6})


def test_a_corrected_answer_is_compared_again(nps, closed, customer, now):
    given = answers(nps, customer, 8, now + 40 * DAY)
    compare.compare(now + 41 * DAY)
    correct(given, 7, "", now + 42 * DAY)
    assert (compare.compare(now + 43 * DAY), shifts()) == (1, [5])


def test_an_answer_before_the_closing_says_nothing(nps, closed, customer, now):
    answers(nps, customer, 9, now + 8 * DAY)
    OutreachTask.objects.update(closed_at=now + 9 * DAY)
    assert (compare.compare(now + 30 * DAY), shifts()) == (0, [None])


def test_the_page_of_the_task_says_it(client, nps, closed, customer, manager, now):
    answers(nps, customer, 8, now + 40 * DAY)
    compare.compare(now + 41 * DAY)
    client.force_login(manager)
    page = client.get(f"/admin/surveys/outreachtask/{closed.pk}/change/")
    assert "6 points up" in page.text


@pytest.mark.parametrize("tasks", [1, 3])
def test_each_batch_takes_as_many_queries_for_many(
    nps, account, alice, root_cause, now, tasks, django_assert_num_queries, closed, customer
):
    answers(nps, customer, 8, now + 40 * DAY)
    for n in range(tasks - 1):
        other = account.customers.create(name="C", email=f"c{n}@lakeside.example")
        task = answers(nps, other, 2, now).task
        reach_out.log_contact(task, alice, "phone", "spoke", "", now + DAY)
        close.close(task, alice, root_cause, "recovered", "Replaced it.", now + DAY)
        answers(nps, other, 8, now + 40 * DAY)
    with django_assert_num_queries(8):
        assert compare.compare(now + 41 * DAY) == tasks
