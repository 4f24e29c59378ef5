from datetime import timedelta

import pytest

from surveys.delivery import breaker, following
from surveys.delivery.wanted import WAVE_PAUSED
from surveys.loop import answer, ask, remind, resume, waves
from surveys.loop.settle import settle
from surveys.models import (
    AuditEntry,
    Customer,
    DeliveryEvent,
    Invitation,
    Message,
    Reminder,
    Survey,
    Wave,
)

DAY = timedelta(days=1)


@pytest.fixture
def wave(nps, account, manager, now):
    """Launched for four customers over two days, and planned."""
    for n in range(4):
        Customer.objects.create(account=account, name=f"C{n}", email=f"c{n}@lakeside.example")
    wave = Wave.objects.create(survey=nps, name="Spring", spread_days=2)
    ask.launch(wave, manager, now)
    ask.plan(now)
    wave.refresh_from_db()
    return wave


def states() -> list[str]:
    return sorted(Message.objects.values_list("state", flat=True))


def send(count: int, now) -> None:
    ids = Message.objects.filter(state="queued").order_by("next_at", "pk").values("pk")[:count]
    Message.objects.filter(pk__in=ids).update(state="sent", sent_at=now)


def test_a_pause_holds_what_waits_and_leaves_what_is_sent(wave, manager, now):
    send(1, now)
    assert waves.pause(wave, manager, now) == 3
    assert wave.state == "paused"
    assert states() == ["held"] * 3 + ["sent"]
    assert list(Message.objects.due(now + 9 * DAY)) == []
    entry = AuditEntry.objects.get(verb="pause")
    assert (entry.actor, entry.after) == (manager, {"mails": 3})


def test_a_pause_stops_the_planning_and_a_resume_takes_it_up(nps, customer, manager, now):
    Customer.objects.create(name="Second", email="second@lakeside.example")
    wave = Wave.objects.create(survey=nps, name="W")
    ask.launch(wave, manager, now)
    ask._plan_batch(now, 1)
    waves.pause(wave, manager, now)
    assert ask.plan(now) == 0
    assert states() == ["held"]
    waves.resume(wave, manager, now)
    assert ask.plan(now) == 1
    assert states() == ["queued", "queued"]
    wave.refresh_from_db()
    assert wave.state == "launched"


def test_a_resume_keeps_what_is_planned_for_later_and_catches_up_on_the_rest(wave, manager, now):
    later = now + 0.5 * DAY
    waves.pause(wave, manager, now)
    assert waves.resume(wave, manager, later) == 4
    due = sorted(Message.objects.values_list("next_at", flat=True))
    midnight = (now + DAY).replace(hour=0, minute=0)
    assert due == [later, later, midnight, midnight]
    assert states() == ["queued"] * 4
    planned = sorted(Invitation.objects.values_list("send_at", "expires_at"))
    assert planned[0] == (later, later + 30 * DAY)
    assert planned[3] == (midnight, midnight + 30 * DAY)


def test_a_resume_at_night_waits_for_each_customers_morning(wave, manager, now):
    Survey.objects.update(send_from=8, send_until=20, working_days_only=True)
    wave.survey.refresh_from_db()
    Customer.objects.filter(name__in=["C0", "C1"]).update(time_zone="Asia/Tokyo")
    night = (now + 2 * DAY).replace(hour=22)
    waves.pause(wave, manager, now)
    waves.resume(wave, manager, night)
    due = dict(Message.objects.values_list("invitation__customer__name", "next_at"))
    assert due == {
        "C0": night + timedelta(hours=1), "C1": night + timedelta(hours=1),
        "C2": night + timedelta(hours=10), "C3": night + timedelta(hours=10),
    }  # fmt: skip


def test_a_heads_up_that_was_held_still_comes_days_before(nps, customer, manager, now):
    wave = Wave.objects.create(survey=nps, name="W", heads_up_days=2)
    ask.launch(wave, manager, now)
    ask.plan(now)
    waves.pause(wave, manager, now)
    waves.resume(wave, manager, now + 5 * DAY)
    due = dict(Message.objects.values_list("kind", "next_at"))
    assert due == {"heads_up": now + 5 * DAY, "invitation": now + 7 * DAY}
    assert Invitation.objects.get().send_at == now + 7 * DAY


def test_a_resume_waits_for_the_survey_and_frees_what_both_held(wave, manager, now):
    survey = wave.survey
    Survey.objects.filter(pk=survey.pk).update(paused_reason="6 of 100 mails bounced.")
    breaker.hold(survey)
    waves.pause(wave, manager, now)
    wave.survey.refresh_from_db()
    with pytest.raises(waves.CannotChange, match="Resume the survey first"):
        waves.resume(wave, manager, now)
    wave.refresh_from_db()
    assert wave.state == "paused"
    resume.resume(wave.survey, manager, now)
    wave.survey.refresh_from_db()
    assert states() == ["held"] * 4
    assert waves.resume(wave, manager, now) == 4
    assert states() == ["queued"] * 4


def test_of_a_large_wave_the_rest_follows_soon(wave, manager, now, monkeypatch):
    monkeypatch.setattr(following, "BATCH", 1)
    for verb, state in ((waves.pause, "held"), (waves.resume, "queued"), (waves.stop, "cancelled")):
        assert verb(wave, manager, now) == 4
        assert states().count(state) == 1
        assert settle(now, batches=2) == 2
        assert states().count(state) == 3
        assert settle(now) == 1
        assert states() == [state] * 4
        assert settle(now) == 0


def test_who_changes_their_mind_has_the_last_word(wave, manager, now, monkeypatch):
    monkeypatch.setattr(following, "BATCH", 1)
    waves.pause(wave, manager, now)
    settle(now, batches=1)
    waves.resume(wave, manager, now)
    settle(now)
    assert states() == ["queued"] * 4


def test_what_is_queued_again_while_the_survey_pauses_goes_on_with_the_survey(
    wave, manager, now, monkeypatch
):
    monkeypatch.setattr(following, "BATCH", 2)
    waves.pause(wave, manager, now)
    settle(now)
    waves.resume(wave, manager, now)
    Survey.objects.update(paused_reason="6 of 100 mails bounced.")
    breaker.hold(wave.survey)
    settle(now)
    assert states() == ["held"] * 4
    resume.resume(wave.survey, manager, now)
    settle(now)
    assert states() == ["queued"] * 4


def test_what_a_restored_backup_holds_back_is_left_alone(wave, manager, now):
    Message.objects.update(state="held", last_error="Restored from a backup.")
    waves.pause(wave, manager, now)
    assert waves.resume(wave, manager, now) == 0
    assert states() == ["held"] * 4


def test_a_stop_cancels_what_waits_and_what_is_held(wave, manager, now):
    send(1, now)
    Message.objects.filter(pk=Message.objects.filter(state="queued").first().pk).update(
        state="held", last_error=WAVE_PAUSED
    )
    assert waves.stop(wave, manager, now) == 3
    assert states() == ["cancelled"] * 3 + ["sent"]
    assert AuditEntry.objects.get(verb="stop").after == {"mails": 3}
    assert ask.plan(now) == 0


def test_what_was_sent_before_the_stop_can_still_be_answered(wave, manager, now):
    send(1, now)
    waves.stop(wave, manager, now)
    invitation = Invitation.objects.get(messages__state="sent")
    assert answer.give(invitation, 9, "", now)[1] is True


@pytest.mark.parametrize(
    ("state", "allowed"),
    [
        ("draft", set()),
        ("planning", {"pause", "stop"}),
        ("launched", {"pause", "stop"}),
        ("paused", {"resume", "stop"}),
        ("stopped", set()),
    ],
)
def test_each_state_allows_its_verbs_and_no_other(wave, manager, now, state, allowed):
    for verb in (waves.pause, waves.resume, waves.stop):
        Wave.objects.update(state=state)
        if verb.__name__ in allowed:
            verb(wave, manager, now)
            continue
        with pytest.raises(waves.CannotChange, match="Only a"):
            verb(wave, manager, now)
        wave.refresh_from_db()
        assert wave.state == state


def test_other_waves_and_mails_to_staff_go_on(wave, nps, customer, manager, now):
    ask.invite(nps, [customer], "event:1", now + 60 * DAY)
    [other] = Invitation.objects.filter(wave=None)
    Message.objects.create(
        kind="contact_silent", dedupe_key="s", user=manager, next_at=now, created_at=now,
        invitation=wave.invitations.first(),
    )  # fmt: skip
    waves.pause(wave, manager, now)
    assert other.messages.get().state == "queued"
    assert Message.objects.get(kind="contact_silent").state == "queued"


def test_the_progress_counts_what_became_of_everybody(wave, account, now):
    send(3, now)
    first, second, _, fourth = Message.objects.order_by("next_at", "pk")
    answer.give(first.invitation, 9, "", now)
    DeliveryEvent.objects.create(source="smtp", event_id="1", kind="hard_bounce", message=second,
                                 at=now)  # fmt: skip
    Message.objects.filter(pk=fourth.pk).update(state="failed")
    Reminder.objects.create(survey=wave.survey, number=1, after_days=1)
    remind.remind(now + 2 * DAY)
    Message.objects.filter(kind="reminder").update(state="sent", sent_at=now)
    told = waves.progress(wave)
    assert (told.audience, told.decided, told.decisions) == (4, 4, {"ask": 4})
    assert told.mails == {"sent": 3, "failed": 1}
    assert (told.waiting, told.bounced, told.failed) == (0, 1, 1)
    assert (told.answered, told.reminded) == (1, 2)


def test_the_progress_says_why_some_are_not_asked(nps, account, wave, manager, now):
    second = Wave.objects.create(survey=nps, name="Second")
    Customer.objects.create(name="No address")
    ask.launch(second, manager, now + 1.2 * DAY)
    ask.plan(now + 1.2 * DAY)
    told = waves.progress(second)
    assert told.decisions == {"throttled": 4, "no_address": 1}
    assert told.throttles == {"floor": 2, "family": 2}


@pytest.mark.parametrize("rows", [1, 3])
def test_progress_takes_as_many_queries_for_many(
    nps, account, manager, now, rows, django_assert_num_queries
):
    for n in range(rows):
        Customer.objects.create(account=account, email=f"c{n}@x.example")
    wave = Wave.objects.create(survey=nps, name="W")
    ask.launch(wave, manager, now)
    ask.plan(now)
    with django_assert_num_queries(5):
        waves.progress(wave)
