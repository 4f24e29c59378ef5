"""Fault 48: what changes between the claim and the hand-over."""

import pytest
from django.utils import timezone

from surveys.delivery import emails, handover, send
from surveys.loop import answer
from surveys.models import Customer, Message, Response, Suppression, Survey, Wave

pytestmark = pytest.mark.django_db(transaction=True)


def unsubscribe(mail):
    Suppression.add(mail.invitation.customer.email, "unsubscribed", timezone.now())


def leave_the_family(mail):
    family = mail.invitation.survey.family
    Suppression.add(mail.invitation.customer.email, "unsubscribed", timezone.now(), family)


def close_the_survey(mail):
    Survey.objects.update(is_open=False)


def pause_the_survey(mail):
    Survey.objects.update(paused_reason="Too many bounces.")


def stop_the_wave(mail):
    Wave.objects.update(state="stopped")


def pause_the_wave(mail):
    Wave.objects.update(state="paused")


def answer_it(mail):
    answer.give(mail.invitation, 9, "", timezone.now())


def erase_the_address(mail):
    Customer.objects.update(email=None)


CHANGES = [
    (unsubscribe, "cancelled"),
    (leave_the_family, "cancelled"),
    (close_the_survey, "cancelled"),
    (stop_the_wave, "cancelled"),
    (answer_it, "cancelled"),
    (erase_the_address, "cancelled"),
    (pause_the_survey, "held"),
    (pause_the_wave, "held"),
]


@pytest.fixture
def of_a_wave(mail):
    wave = Wave.objects.create(
        survey=mail.invitation.survey, name="Spring", state="launched", launched_at=timezone.now()
    )
    mail.invitation.wave = wave
    mail.invitation.save()
    return mail


@pytest.mark.parametrize(("change", "state"), CHANGES)
def test_a_change_between_the_claim_and_the_hand_over_counts(
    sink, of_a_wave, monkeypatch, change, state
):
    render = emails.render

    def rendered_then_changed(message):
        letter = render(message)
        change(message)
        return letter

    monkeypatch.setattr(emails, "render", rendered_then_changed)
    assert send.drain(timezone.now) == 0
    assert sink.kept == []
    assert (sink.connections, Message.objects.get(kind="invitation").state) == (1, state)


@pytest.mark.parametrize(("change", "state"), CHANGES)
def test_a_change_before_the_claim_does_not_even_open_a_connection(sink, of_a_wave, change, state):
    change(of_a_wave)
    assert send.drain(timezone.now) == 0
    assert (sink.connections, Message.objects.get(kind="invitation").state) == (0, state)


def test_a_change_after_the_hand_over_comes_too_late(sink, mail, monkeypatch):
    """The control: so the mails above were stopped by the very statement that hands them over."""
    commit = handover.commit

    def handed_then_changed(waiting, now):
        handed = commit(waiting, now)
        unsubscribe(waiting[0].mail)
        return handed

    monkeypatch.setattr(handover, "commit", handed_then_changed)
    assert send.drain(timezone.now) == 1
    assert len(sink.kept) == 1


def test_an_address_that_changes_in_between_gets_the_mail_and_the_old_one_does_not(
    sink, mail, monkeypatch
):
    render = emails.render

    def rendered_then_moved(message):
        letter = render(message)
        Customer.objects.update(email="new@lakeside.example")
        return letter

    monkeypatch.setattr(emails, "render", rendered_then_moved)
    assert send.drain(timezone.now) == 1
    assert sink.recipients == ["new@lakeside.example"]


def test_answers_by_machines_stop_no_reminder(sink, mail):
    answer.give(mail.invitation, 9, "", timezone.now())
    Response.objects.update(verdict="machine")
    assert send.drain(timezone.now) == 1
