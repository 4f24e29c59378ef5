from datetime import UTC, datetime, timedelta

import pytest

from surveys.delivery import breaker, claim, following
from surveys.delivery.wanted import Known
from surveys.loop import ask, waves
from surveys.loop.resume import NotPaused, resume
from surveys.loop.settle import settle
from surveys.models import AuditEntry, Customer, Invitation, Message, Survey, Wave

pytestmark = pytest.mark.django_db

FRIDAY_NIGHT = datetime(2026, 3, 13, 23, 0, tzinfo=UTC)
MONDAY_MORNING = datetime(2026, 3, 16, 8, 0, tzinfo=UTC)


@pytest.fixture
def paused(nps, customer, now):
    """A survey that sends on working days from 8 to 20, with one mail that waits."""
    Survey.objects.update(send_from=8, send_until=20, working_days_only=True)
    nps.refresh_from_db()
    ask.invite(nps, [customer], "test:1", now)
    nps.paused_reason = "6 of the last 100 mails bounced."
    nps.save()
    assert breaker.hold(nps) == 1
    return nps


def test_what_was_held_back_goes_out_when_the_window_next_opens(paused, manager):
    assert resume(paused, manager, FRIDAY_NIGHT) == 1
    message = Message.objects.get(kind="invitation")
    assert (message.state, message.next_at, message.last_error) == ("queued", MONDAY_MORNING, "")
    assert message.invitation.expires_at == MONDAY_MORNING + timedelta(days=30)


def test_the_survey_counts_afresh(paused, manager, now):
    resume(paused, manager, now)
    paused.refresh_from_db()
    assert (paused.paused_reason, paused.resumed_at) == ("", now)


def test_it_is_written_down_who_resumed_it(paused, manager, now):
    resume(paused, manager, now)
    entry = AuditEntry.objects.get(verb="resume")
    assert (entry.actor, entry.before, entry.after) == (
        manager, {"paused": "6 of the last 100 mails bounced."}, {"mails queued": 1},
    )  # fmt: skip


def test_a_wave_that_a_person_paused_as_well_stays_paused(paused, manager, now):
    wave = Wave.objects.create(survey=paused, name="w", state="paused", launched_at=now)
    Invitation.objects.update(wave=wave)
    assert resume(paused, manager, now) == 0
    assert Message.objects.get(kind="invitation").state == "held"


def test_what_somebody_else_held_back_stays(paused, manager, now):
    Message.objects.update(last_error="Held after a restored backup.")
    assert resume(paused, manager, now) == 0
    assert Message.objects.get().state == "held"


@pytest.fixture
def large(nps, account, now, monkeypatch):
    """A survey with four mails that wait, of which two are a batch."""
    monkeypatch.setattr(following, "BATCH", 2)
    for n in range(4):
        Customer.objects.create(account=account, name=f"C{n}", email=f"c{n}@lakeside.example")
    ask.invite(nps, Customer.objects.all(), "test:1", now)
    return nps


def states() -> list[str]:
    return sorted(Message.objects.values_list("state", flat=True))


def test_the_mails_of_a_large_survey_are_held_and_queued_in_batches(large, manager, now):
    Survey.objects.update(paused_reason="6 of the last 100 mails bounced.")
    large.refresh_from_db()
    assert breaker.hold(large) == 4
    assert states() == ["held"] * 2 + ["queued"] * 2
    assert settle(now, batches=1) == 2
    assert states() == ["held"] * 4
    assert resume(large, manager, now) == 4
    assert states() == ["held"] * 2 + ["queued"] * 2
    assert settle(now) == 2
    assert (states(), settle(now)) == (["queued"] * 4, 0)
    entry = AuditEntry.objects.get(verb="resume")
    assert entry.after == {"mails queued": 4}


def test_a_resume_in_the_middle_of_a_pause_has_the_last_word(large, manager, now):
    Survey.objects.update(paused_reason="6 of the last 100 mails bounced.")
    large.refresh_from_db()
    breaker.hold(large)
    assert resume(large, manager, now) == 2
    settle(now)
    assert states() == ["queued"] * 4


def test_mails_that_are_not_held_yet_are_not_sent_either(large, now):
    Survey.objects.update(paused_reason="6 of the last 100 mails bounced.")
    breaker.hold(Survey.objects.get())
    for mail in Message.objects.filter(state="queued"):
        assert Known([mail], now).unwanted(mail, now).state == "held"


def test_what_is_not_paused_cannot_be_resumed(nps, manager, now):
    with pytest.raises(NotPaused, match="is not paused"):
        resume(nps, manager, now)
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("by", ["survey", "wave"])
def test_a_sender_that_saw_the_pause_and_comes_late_holds_nothing_back(paused, manager, now, by):
    """It holds the mail, and would write “held” after the resume has looked at the held ones."""
    wave = Wave.objects.create(survey=paused, name="w", state="launched", launched_at=now)
    Invitation.objects.update(wave=wave)
    Message.objects.update(state="queued")
    if by == "wave":
        Survey.objects.update(paused_reason="")
        wave.survey.refresh_from_db()
        waves.pause(wave, manager, now)
        Message.objects.update(state="queued")
    [message] = claim.claim(now.replace(hour=12), 1)
    seen = Known([message], now).unwanted(message, now)
    assert seen.state == "held"
    waves.resume(wave, manager, now) if by == "wave" else resume(paused, manager, now)
    assert claim.unwanted(message, seen.state, seen.why)
    message.refresh_from_db()
    assert (message.state, message.attempts) == ("queued", 0)


def test_while_the_pause_lasts_it_does(paused, now):
    """The control."""
    Message.objects.update(state="queued")
    [message] = claim.claim(now.replace(hour=12), 1)
    seen = Known([message], now).unwanted(message, now)
    assert claim.unwanted(message, seen.state, seen.why)
    message.refresh_from_db()
    assert (message.state, message.last_error) == ("held", breaker.PAUSED)
