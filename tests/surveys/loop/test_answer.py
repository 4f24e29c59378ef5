from datetime import timedelta

import pytest

from surveys.loop import answer, ask, close, sort
from surveys.models import AuditEntry, Customer, Message, OutreachTask, Response
from surveys.models.surveys import Kind
from tests.conftest import survey_of


@pytest.fixture
def invitation(nps, customer, now):
    return ask.invite(nps, [customer], "event:1", now)[0]


@pytest.fixture
def detractor(invitation, now):
    return answer.give(invitation, 2, "It never came.", now)[0]


def task_of(response) -> OutreachTask:
    return OutreachTask.objects.get(response=response)


def test_a_detractors_answer_opens_a_task_for_the_accounts_owner(detractor, alice, now):
    task = task_of(detractor)
    assert (task.owner, task.started_at, task.due_at) == (alice, now, now + timedelta(hours=72))
    notice = Message.objects.get(kind="task_opened")
    assert (notice.task, notice.user) == (task, alice)
    assert AuditEntry.objects.get(verb="open").noun_id == task.pk


@pytest.mark.parametrize(("kind", "score"), [("nps", 7), ("nps", 10), ("csat", 3), ("ces", 4)])
def test_others_open_none(kind, score, customer, now):
    invitation = ask.invite(survey_of(Kind(kind)), [customer], "event:1", now)[0]
    answer.give(invitation, score, "", now)
    assert not OutreachTask.objects.exists()


def test_a_score_outside_the_scale_stores_nothing(invitation, now):
    with pytest.raises(sort.ScoreOutOfRange):
        answer.give(invitation, 11, "", now)
    assert not Response.objects.exists()


def test_answer_and_task_are_one_transaction(invitation, now, monkeypatch):
    """A kill between the two leaves neither: simulated by a failure at the task's last write."""

    def die(*args, **kwargs):
        raise ConnectionError("killed")

    monkeypatch.setattr(sort, "post", die)
    with pytest.raises(ConnectionError):
        answer.give(invitation, 2, "", now)
    assert (Response.objects.count(), OutreachTask.objects.count()) == (0, 0)


def test_a_second_answer_returns_the_first(invitation, detractor, now):
    again, is_new = answer.give(invitation, 10, "Fine.", now + timedelta(hours=1))
    assert (again, again.score, is_new) == (detractor, 2, False)


def test_an_expired_link_and_a_closed_survey_take_no_answer(invitation, nps, now):
    with pytest.raises(answer.CannotAnswer):
        answer.give(invitation, 2, "", invitation.expires_at)
    invitation.survey.is_open = False
    with pytest.raises(answer.CannotAnswer):
        answer.give(invitation, 2, "", now)


def test_the_segment_is_the_one_of_the_day(detractor, account):
    account.segment = "Small business"
    account.save()
    detractor.refresh_from_db()
    assert detractor.segment == "Enterprise"


def test_a_customer_without_an_account_gets_a_task_without_an_owner(nps, now):
    alone = Customer.objects.create(email="alone@example.org")
    response, _ = answer.give(ask.invite(nps, [alone], "event:1", now)[0], 0, "", now)
    assert task_of(response).owner is None
    assert not Message.objects.filter(kind="task_opened").exists()


def test_a_correction_upwards_withdraws_the_task_and_back_keeps_its_deadline(detractor, now):
    due_at = task_of(detractor).due_at
    answer.correct(detractor, 9, "Found it.", now + timedelta(days=1))
    task = task_of(detractor)
    assert (task.state, task.withdrawn_reason) == (
        "withdrawn",
        "The customer changed the score from 2 to 9.",
    )
    answer.correct(detractor, 1, "Broken.", now + timedelta(days=2))
    task = task_of(detractor)
    assert (task.state, task.due_at, task.withdrawn_reason) == ("open", due_at, "")
    assert [version.score for version in detractor.versions.all()] == [2, 9, 1]


def test_a_correction_downwards_starts_the_72_hours_then(invitation, now):
    response, _ = answer.give(invitation, 9, "", now)
    later = now + timedelta(days=5)
    answer.correct(response, 3, "", later)
    task = task_of(response)
    assert (task.started_at, task.due_at) == (later, later + timedelta(hours=72))


def test_the_same_again_is_no_correction(detractor, now):
    answer.correct(detractor, 2, "It never came.", now)
    assert detractor.versions.count() == 1


def test_after_14_days_nothing_is_corrected(detractor, now):
    answer.correct(detractor, 3, "", now + timedelta(days=14))
    with pytest.raises(answer.TooLateToCorrect):
        answer.correct(detractor, 4, "", now + timedelta(days=14, seconds=1))


def test_a_correction_leaves_a_closed_task_alone(detractor, alice, root_cause, now):
    task = task_of(detractor)
    close.close(task, alice, root_cause, "lost", "They had left already.", now)
    answer.correct(detractor, 10, "", now + timedelta(days=1))
    assert task_of(detractor).state == "closed"


def test_staff_can_overrule_a_verdict_both_ways(detractor, manager, now):
    due_at = task_of(detractor).due_at
    answer.overrule(detractor, "machine", manager, "All links within a second.", now)
    assert (task_of(detractor).state, Response.objects.counted().count()) == ("withdrawn", 0)
    answer.overrule(detractor, "person", manager, "They rang us.", now + timedelta(days=1))
    assert (task_of(detractor).state, task_of(detractor).due_at) == ("open", due_at)
    assert AuditEntry.objects.filter(verb="overrule", actor=manager).count() == 2


def test_the_clock_of_a_machines_answer_starts_when_it_is_overruled(detractor, manager, now):
    OutreachTask.objects.all().delete()
    Response.objects.update(verdict="machine")
    later = now + timedelta(days=4)
    answer.overrule(detractor, "person", manager, "They rang us.", later)
    assert task_of(detractor).started_at == later


def test_a_correction_of_a_machines_answer_opens_nothing(invitation, manager, now):
    response, _ = answer.give(invitation, 9, "", now)
    answer.overrule(response, "machine", manager, "Scanner.", now)
    answer.correct(response, 1, "", now)
    assert not OutreachTask.objects.exists()
