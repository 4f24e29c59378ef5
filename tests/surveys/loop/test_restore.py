"""What a restored backup holds back, and who releases it (the dump is in tests/faults)."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from surveys.delivery import breaker, send
from surveys.loop import ask, deliver, restore, waves
from surveys.loop.resume import resume
from surveys.loop.settle import settle
from surveys.models import AuditEntry, Message, Survey, Wave

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def wave(nps, customers, manager, now):
    """Launched for three customers, and planned."""
    wave = Wave.objects.create(survey=nps, name="Spring")
    ask.launch(wave, manager, now)
    ask.plan(now)
    wave.refresh_from_db()
    return wave


def states() -> set[str]:
    return set(Message.objects.values_list("state", flat=True))


def test_what_waits_is_held_back_and_what_is_newer_is_not(wave, nps, customer, now):
    Message.objects.filter(invitation__customer__email="c0@mills.example").update(
        created_at=now + 2 * HOUR
    )
    assert restore.hold_back(now + HOUR, now + 3 * HOUR) == (2, 0)
    held = Message.objects.filter(state="held")
    assert {mail.last_error for mail in held} == {
        "Held back: the backup of 2026-03-10 10:00 UTC was restored; it may have been sent."
    }


def test_a_wave_that_was_being_planned_is_paused(wave, now):
    Wave.objects.update(state="planning")
    assert restore.hold_back(now, now + HOUR) == (3, 1)
    wave.refresh_from_db()
    assert wave.state == "paused"
    assert "was restored" in AuditEntry.objects.get(verb="pause").reason


def test_no_resume_of_its_wave_releases_it(wave, manager, now):
    restore.hold_back(now, now + HOUR)
    waves.pause(wave, manager, now + HOUR)
    assert waves.resume(wave, manager, now + HOUR) == 0
    settle(now + HOUR)
    assert states() == {"held"}


def test_no_resume_of_its_survey_releases_it(wave, manager, now):
    restore.hold_back(now, now + HOUR)
    Survey.objects.update(paused_reason="6 of 100 mails bounced.")
    breaker.hold(wave.survey)
    assert resume(wave.survey, manager, now + HOUR) == 0
    assert states() == {"held"}


def test_what_a_pause_had_held_may_have_been_sent_since_and_stays_held(wave, manager, now):
    Survey.objects.update(paused_reason="6 of 100 mails bounced.")
    breaker.hold(wave.survey)
    assert restore.hold_back(now, now + HOUR) == (3, 0)
    assert resume(wave.survey, manager, now + HOUR) == 0
    assert states() == {"held"}


def test_without_the_restored_backup_the_same_resumes_release_them(wave, manager, now):
    """The control."""
    waves.pause(wave, manager, now)
    assert waves.resume(wave, manager, now) == 3
    Survey.objects.update(paused_reason="6 of 100 mails bounced.")
    breaker.hold(wave.survey)
    assert resume(wave.survey, manager, now) == 3
    assert states() == {"queued"}


@pytest.mark.parametrize(("resend", "state"), [(True, "held"), (False, "in_doubt")])
def test_what_would_be_repeated_by_itself_is_held_too(wave, now, settings, resend, state):
    Message.objects.update(state="in_doubt", handed_at=now)
    settings.RESEND_IN_DOUBT = resend
    restore.hold_back(now, now + HOUR)
    assert states() == {state}


@pytest.mark.django_db(transaction=True)
def test_a_person_who_knows_better_releases_it(mail_server, asked, manager, capsys):
    call_command("after_restore", timezone.now().isoformat())
    assert "3 mails are held back" in capsys.readouterr().out
    assert send.drain(timezone.now) == 0
    held = Message.objects.filter(state="held").order_by("pk").first()
    deliver.send_again(held, manager, timezone.now())
    assert send.drain(timezone.now) == 1
    assert mail_server.recipients == [held.invitation.customer.email]
    assert AuditEntry.objects.get(verb="send again").actor == manager


@pytest.mark.parametrize("time", ["yesterday", "2026-03-10 02:00", "2999-01-01T00:00+00:00"])
def test_a_time_that_cannot_be_meant_is_refused(time):
    with pytest.raises(CommandError, match=r"no time with a zone|in the future"):
        call_command("after_restore", time)
