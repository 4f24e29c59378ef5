from datetime import timedelta

import pytest

from surveys.loop import answer, ask, close, follow_up, reach_out, sort, tell
from surveys.models import (
    DEADLINE,
    AuditEntry,
    Customer,
    Message,
    OutreachTask,
    Response,
    Sign,
)
from surveys.models.surveys import Kind
from tests.conftest import correct, survey_of


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

    monkeypatch.setattr(follow_up, "hint", die)
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
    correct(detractor, 9, "Found it.", now + timedelta(days=1))
    task = task_of(detractor)
    assert (task.state, task.withdrawn_reason) == (
        "withdrawn",
        "The customer changed the score from 2 to 9.",
    )
    correct(detractor, 1, "Broken.", now + timedelta(days=2))
    task = task_of(detractor)
    assert (task.state, task.due_at, task.withdrawn_reason) == ("open", due_at, "")
    assert [version.score for version in detractor.versions.all()] == [2, 9, 1]


def test_a_correction_downwards_starts_the_72_hours_then(invitation, now):
    response, _ = answer.give(invitation, 9, "", now)
    later = now + timedelta(days=5)
    correct(response, 3, "", later)
    task = task_of(response)
    assert (task.started_at, task.due_at) == (later, later + timedelta(hours=72))


def test_the_same_again_is_no_correction(detractor, now):
    correct(detractor, 2, "It never came.", now)
    assert detractor.versions.count() == 1


def test_after_14_days_nothing_is_corrected(detractor, now):
    correct(detractor, 3, "", now + timedelta(days=14))
    with pytest.raises(answer.TooLateToCorrect):
        correct(detractor, 4, "", now + timedelta(days=14, seconds=1))


def test_a_correction_leaves_a_closed_task_alone(detractor, alice, root_cause, now):
    task = task_of(detractor)
    close.close(task, alice, root_cause, "lost", "They had left already.", now)
    correct(detractor, 10, "", now + timedelta(days=1))
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


def test_what_a_person_presses_after_a_machine_counts(invitation, manager, now):
    response, _ = answer.give(invitation, 9, "", now)
    answer.overrule(response, "machine", manager, "Scanner.", now)
    later = now + timedelta(days=1)
    pressed = answer.press(invitation, 1, later)
    assert (pressed.is_new, pressed.response.verdict) == (True, "person")
    assert (task_of(response).started_at, pressed.response.answered_at) == (later, later)


def test_a_machines_press_is_kept_and_is_no_answer(invitation, now):
    pressed = answer.press(invitation, 1, now, signs=[Sign.TOO_FAST, Sign.DECOY])
    assert (pressed.is_new, pressed.signs) == (False, ["too_fast", "decoy"])
    response = Response.objects.get()
    assert (response.verdict, response.signs) == ("machine", ["too_fast", "decoy"])
    assert kept(response) == [(1, 1, "machine", ["too_fast", "decoy"])]
    assert (Response.objects.counted().count(), OutreachTask.objects.count()) == (0, 0)
    assert not Message.objects.filter(kind="task_opened").exists()


def kept(response):
    return list(response.versions.values_list("number", "score", "verdict", "signs"))


def test_a_machine_changes_nothing_that_a_person_said(invitation, detractor, now):
    answer.press(invitation, 10, now, comment="Buy pills", signs=[Sign.HIDDEN_FIELD])
    detractor.refresh_from_db()
    assert (detractor.score, detractor.verdict, detractor.signs) == (2, "person", [])
    assert task_of(detractor).state == "open"
    assert kept(detractor) == [(1, 2, "person", []), (2, 10, "machine", ["hidden_field"])]


def test_whoever_was_caught_is_taken_at_their_word_the_second_time(invitation, now):
    answer.press(invitation, 1, now, signs=[Sign.TOO_FAST])
    pressed = answer.press(invitation, 1, now + timedelta(seconds=3), confirmed=True)
    assert (pressed.is_new, pressed.response.verdict, pressed.response.signs) == (
        True,
        "person",
        [],
    )
    assert task_of(pressed.response).started_at == now + timedelta(seconds=3)


def test_the_third_score_within_two_minutes_undoes_the_others(invitation, now):
    for seconds, score in enumerate((1, 2, 3)):
        pressed = answer.press(invitation, score, now + timedelta(seconds=seconds))
    assert pressed.signs == [Sign.MANY_SCORES]
    response = Response.objects.get()
    assert (response.verdict, response.score) == ("machine", 3)
    task = task_of(response)
    assert (task.state, task.withdrawn_reason) == (
        "withdrawn",
        "A machine pressed the buttons of the page.",
    )
    assert [score for _, score, _, _ in kept(response)] == [1, 2, 3]


def test_what_was_said_before_the_burst_stands(invitation, detractor, now):
    later = now + timedelta(days=1)
    for seconds, score in enumerate((8, 9, 10)):
        answer.press(invitation, score, later + timedelta(seconds=seconds))
    detractor.refresh_from_db()
    assert (detractor.score, detractor.comment) == (2, "It never came.")
    assert (detractor.verdict, task_of(detractor).state) == ("person", "open")


def test_of_scores_two_minutes_apart_each_is_a_correction(invitation, now):
    """The control of the burst."""
    for minutes, score in enumerate((1, 2, 3)):
        pressed = answer.press(invitation, score, now + timedelta(minutes=2 * minutes, seconds=1))
    assert pressed.signs == []
    assert (pressed.response.score, pressed.response.verdict) == (3, "person")


def test_what_is_added_belongs_to_the_answer(invitation, now):
    response = answer.press(invitation, 9, now).response
    later = now + timedelta(minutes=1)
    answer.add(response, answer.More("Quick.", ["speed", "price"]), later)
    response.refresh_from_db()
    assert (response.comment, response.finished_at) == ("Quick.", later)
    assert [reason.key for reason in response.reasons.all()] == ["price", "speed"]
    assert kept(response) == [(1, 9, "person", []), (2, 9, "person", [])]
    assert not OutreachTask.objects.exists()


def test_what_a_machine_adds_is_kept_apart(invitation, now):
    response = answer.press(invitation, 9, now).response
    answer.add(response, answer.More("Buy pills", channel="email"), now, [Sign.DECOY])
    response.refresh_from_db()
    assert (response.comment, response.wants_contact, response.finished_at) == ("", False, None)
    assert list(response.versions.values_list("comment", "verdict")) == [
        ("", "person"),
        ("Buy pills", "machine"),
    ]


def test_a_wish_for_contact_opens_a_task_and_taking_it_back_withdraws_it(invitation, alice, now):
    response = answer.press(invitation, 9, now).response
    later = now + timedelta(minutes=1)
    answer.add(response, answer.More(channel="phone", time="After four"), later)
    task = task_of(response)
    assert (task.cause, task.owner, task.started_at) == ("contact_wish", alice, later)
    assert Message.objects.get(kind="task_opened").next_at == later
    answer.add(response, answer.More(), later)
    assert (task_of(response).state, task_of(response).withdrawn_reason) == (
        "withdrawn",
        "The customer no longer wishes to be contacted.",
    )


def test_after_14_days_nothing_is_added(detractor, now):
    with pytest.raises(answer.TooLateToCorrect):
        answer.add(detractor, answer.More("Late."), now + timedelta(days=14, seconds=1))


def test_a_wish_that_becomes_a_complaint_keeps_its_deadline_while_nobody_called(invitation, now):
    response = answer.press(invitation, 9, now).response
    answer.add(response, answer.More(channel="phone"), now)
    correct(response, 2, "", now + timedelta(hours=1))
    task = task_of(response)
    assert (task.cause, task.state, task.due_at) == ("detractor", "open", now + DEADLINE)


def test_a_wish_that_was_met_and_becomes_a_complaint_starts_anew(
    invitation, alice, root_cause, now
):
    response = answer.press(invitation, 9, now).response
    answer.add(response, answer.More(channel="phone"), now)
    reach_out.log_contact(task_of(response), alice, "phone", "spoke", "", now)
    close.close(task_of(response), alice, root_cause, "accepted", "Explained.", now)
    later = now + timedelta(days=1)
    correct(response, 2, "", later)
    task = task_of(response)
    assert (task.cause, task.state, task.due_at) == ("detractor", "open", later + DEADLINE)
    assert (task.first_contact_at, task.contacts.count()) == (None, 1)


def test_a_complaint_that_becomes_a_wish_stays_a_complaints_task(invitation, now):
    response = answer.press(invitation, 2, now).response
    answer.add(response, answer.More(channel="phone"), now)
    correct(response, 9, "", now + timedelta(hours=1))
    assert (task_of(response).cause, task_of(response).state) == ("detractor", "open")


def test_no_correction_takes_a_miss_out_of_the_rate(invitation, alice, now):
    response = answer.press(invitation, 2, now).response
    answer.add(response, answer.More(channel="phone"), now)
    late = now + timedelta(hours=80)
    reach_out.log_contact(task_of(response), alice, "phone", "spoke", "", late)
    for score in (9, 3):
        correct(response, score, "", late + timedelta(hours=score))
        task = task_of(response)
        verdict = task.cause, task.state, task.due_at, task.first_contact_at
        assert verdict == ("detractor", "open", now + DEADLINE, late)


def test_the_owner_hears_of_the_task_when_the_comment_is_there(invitation, now):
    response = answer.press(invitation, 2, now).response
    mail = Message.objects.get(kind="task_opened")
    assert mail.next_at == now + tell.FOR_THE_COMMENT
    later = now + timedelta(minutes=1)
    answer.add(response, answer.More("It never came."), later)
    mail.refresh_from_db()
    assert mail.next_at == later


def test_what_comes_after_the_mail_is_told_in_another(invitation, now):
    response = answer.press(invitation, 2, now).response
    Message.objects.update(state="sent", sent_at=now)
    answer.add(response, answer.More("It never came."), now + timedelta(hours=1))
    assert Message.objects.filter(kind="task_opened", state="queued").count() == 1


def said(response):
    """What each version says besides the score."""
    names = ("number", "comment", "reasons", "contact_channel", "contact_time")
    return list(response.versions.values_list(*names))


@pytest.mark.parametrize(
    "change",
    [
        {"comment": "Never."},
        {"reasons": ["price"]},
        {"reasons": []},
        {"channel": "email"},
        {"channel": "", "time": ""},
        {"time": "After five"},
    ],
)
def test_whatever_is_changed_leaves_a_version(invitation, now, change):
    first = {"comment": "Late.", "reasons": ["speed"], "channel": "phone", "time": "After four"}
    response = answer.press(invitation, 9, now).response
    answer.add(response, answer.More(**first), now)
    answer.add(response, answer.More(**first), now)  # the control: the same again leaves none
    answer.add(response, answer.More(**first | change), now)
    then = first | change
    assert said(response) == [
        (1, "", [], "", ""),
        (2, "Late.", ["speed"], "phone", "After four"),
        (3, then["comment"], then["reasons"], then["channel"], then["time"]),
    ]


def test_the_order_in_which_reasons_are_sent_is_no_change(invitation, now):
    response = answer.press(invitation, 9, now).response
    for reasons in (["speed", "Price", "price"], ["price", "speed", "Price"]):
        answer.add(response, answer.More(reasons=reasons), now)
    assert said(response)[1:] == [(2, "", ["Price", "price", "speed"], "", "")]


def test_another_score_keeps_the_wish_and_the_reasons(invitation, now):
    response = answer.press(invitation, 9, now).response
    answer.add(response, answer.More("Late.", ["speed", "price"], "phone", "After four"), now)
    correct(response, 7, "Late.", now + timedelta(hours=1))
    before, after = said(response)[1:]
    assert after == (3, *before[1:]) == (3, "Late.", ["price", "speed"], "phone", "After four")


def test_of_a_machine_the_version_keeps_what_it_sent(invitation, now):
    response = answer.press(invitation, 9, now).response
    sent = answer.More("Buy pills", ["price"], "email", "Now")
    answer.add(response, sent, now, [Sign.DECOY])
    assert said(response)[1:] == [(2, "Buy pills", ["price"], "email", "Now")]
    assert not response.reasons.exists()


def test_what_is_added_at_once_to_an_answer_is_numbered_in_turn(invitation, now):
    """The number is that of the database, whatever the caller has read before."""
    response = answer.press(invitation, 9, now).response
    stale = Response.objects.get()
    for held, comment in ((response, "One."), (stale, "Two.")):
        answer.add(held, answer.More(comment), now)
    assert [(number, text) for number, text, *_ in said(response)] == [
        (1, ""), (2, "One."), (3, "Two."),
    ]  # fmt: skip
