"""Faults 48 and 45: what changes between the claim and the hand-over, and a restored backup."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from surveys.delivery import claim, emails, send
from surveys.loop import answer, ask, deliver
from surveys.models import AuditEntry, Customer, Message, Response, Suppression, Survey, Wave

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
    hand_over = claim.hand_over

    def handed_then_changed(message, *arguments):
        handed = hand_over(message, *arguments)
        unsubscribe(message)
        return handed

    monkeypatch.setattr(claim, "hand_over", handed_then_changed)
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


@pytest.fixture
def restored(sink, nps, account):
    """A backup was made with three mails waiting, they were sent, and the backup was restored."""
    customers = [
        Customer.objects.create(account=account, email=f"c{i}@mills.example") for i in range(3)
    ]
    yesterday = timezone.now() - timedelta(days=1)
    ask.invite(nps, customers, "test:1", timezone.now())
    Message.objects.update(created_at=yesterday, next_at=yesterday)
    backup = list(Message.objects.order_by("pk").values())
    assert send.drain(timezone.now) == 3
    for row in backup:
        Message.objects.filter(pk=row.pop("id")).update(**row)
    return yesterday + timedelta(hours=1)


def test_after_a_restored_backup_nothing_is_sent_again(sink, restored, nps, manager, capsys):
    wave = Wave.objects.create(
        survey=nps, name="Spring", state="planning", launched_at=timezone.now()
    )
    call_command("after_restore", restored.isoformat())
    assert "3 mails are held back and 1 waves are paused" in capsys.readouterr().out
    wave.refresh_from_db()
    assert wave.state == "paused"
    assert send.drain(timezone.now) == 0
    assert max(sink.times.values()) == 1
    held = Message.objects.filter(state="held")
    assert held.count() == 3
    assert "was restored; it may have been sent" in held[0].last_error
    deliver.send_again(held[0], manager, timezone.now())  # she knows that this one was not
    assert send.drain(timezone.now) == 1
    assert AuditEntry.objects.filter(verb="send again", actor=manager).count() == 1


def test_without_the_command_every_mail_would_be_sent_again(sink, restored):
    """The control."""
    assert send.drain(timezone.now) == 3
    assert set(sink.times.values()) == {2}


@pytest.mark.parametrize("time", ["yesterday", "2026-03-10 02:00", "2999-01-01T00:00+00:00"])
def test_a_time_that_cannot_be_meant_is_refused(db, time):
    with pytest.raises(CommandError, match=r"no time with a zone|in the future"):
        call_command("after_restore", time)


def test_answers_by_machines_stop_no_reminder(sink, mail):
    answer.give(mail.invitation, 9, "", timezone.now())
    Response.objects.update(verdict="machine")
    assert send.drain(timezone.now) == 1
