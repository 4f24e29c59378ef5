from datetime import UTC, datetime, timedelta

import pytest

from surveys.delivery import breaker
from surveys.loop import ask
from surveys.loop.resume import NotPaused, resume
from surveys.models import AuditEntry, Invitation, Message, Survey, Wave

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


def test_what_is_not_paused_cannot_be_resumed(nps, manager, now):
    with pytest.raises(NotPaused, match="is not paused"):
        resume(nps, manager, now)
    assert not AuditEntry.objects.exists()
