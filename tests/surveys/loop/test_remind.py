from datetime import timedelta

import pytest

from surveys.loop import answer, ask, remind, waves
from surveys.loop.suppress import suppress
from surveys.models import AuditEntry, Customer, Invitation, Message, Reminder, Survey, Wave

DAY = timedelta(days=1)


@pytest.fixture
def first(nps):
    return Reminder.objects.create(survey=nps, number=1, after_days=5)


@pytest.fixture
def wave(nps, account, manager, now):
    """Launched for three customers, and sent."""
    for n in range(3):
        Customer.objects.create(account=account, name=f"C{n}", email=f"c{n}@lakeside.example")
    wave = Wave.objects.create(survey=nps, name="Spring")
    ask.launch(wave, manager, now)
    ask.plan(now)
    Message.objects.update(state="sent", sent_at=now)
    wave.refresh_from_db()
    return wave


def reminders() -> list[tuple[str, str]]:
    rows = Message.objects.filter(kind="reminder").order_by("invitation", "pk")
    return [(row.invitation.customer.name, row.dedupe_key.rpartition(":")[2]) for row in rows]


def deliver(at) -> None:
    Message.objects.filter(state="queued").update(state="sent", sent_at=at)


def test_a_reminder_is_queued_once_its_days_have_passed(wave, first, now):
    assert remind.remind(now + 5 * DAY - timedelta(seconds=1)) == 0
    assert remind.remind(now + 5 * DAY) == 3
    assert remind.remind(now + 5 * DAY) == 0
    assert reminders() == [("C0", "1"), ("C1", "1"), ("C2", "1")]
    mail = Message.objects.filter(kind="reminder").first()
    assert (mail.reminder, mail.dedupe_key) == (first, f"remind:{mail.invitation_id}:1")
    assert (mail.state, mail.next_at) == ("queued", now + 5 * DAY)


def test_who_has_answered_is_left_alone(wave, first, now):
    answer.give(wave.invitations.get(customer__name="C1"), 7, "", now)
    remind.remind(now + 5 * DAY)
    assert reminders() == [("C0", "1"), ("C2", "1")]


def test_an_answer_by_a_machine_is_none(wave, first, now):
    given, _ = answer.give(wave.invitations.get(customer__name="C1"), 7, "", now)
    given.verdict = "machine"
    given.save()
    assert remind.remind(now + 5 * DAY) == 3


def test_who_left_or_has_lost_their_address_is_left_alone(wave, first, now):
    suppress("c0@lakeside.example", "unsubscribed", now)
    Customer.objects.filter(name="C1").update(email=None)
    assert remind.remind(now + 5 * DAY) == 1
    waiting = Message.objects.filter(kind="reminder", state="queued")
    assert [mail.invitation.customer.name for mail in waiting] == ["C2"]
    left = Message.objects.filter(kind="reminder", state="cancelled")
    assert dict(left.values_list("invitation__customer__name", "last_error")) == {
        "C0": "The customer does not want to be asked.",
        "C1": "The customer has no e-mail address any more.",
    }
    assert remind.remind(now + 5 * DAY) == 0


def test_what_never_arrived_or_has_expired_is_not_reminded_of(wave, first, now):
    states = {"C0": "queued", "C1": "in_doubt", "C2": "failed"}
    for name, state in states.items():
        mails = Message.objects.filter(invitation__customer__name=name)
        mails.update(state=state, sent_at=None)
    assert remind.remind(now + 5 * DAY) == 0
    Message.objects.update(state="sent", sent_at=now)
    assert remind.remind(now + 30 * DAY) == 0


@pytest.mark.parametrize(
    "change",
    [{"is_open": False}, {"paused_reason": "6 of 100 mails bounced."}],
)
def test_a_closed_or_paused_survey_reminds_nobody(wave, first, now, change):
    Survey.objects.update(**change)
    assert remind.remind(now + 5 * DAY) == 0


def test_a_paused_wave_reminds_once_it_is_resumed(wave, first, manager, now):
    waves.pause(wave, manager, now)
    assert remind.remind(now + 5 * DAY) == 0
    waves.resume(wave, manager, now + 6 * DAY)
    assert remind.remind(now + 6 * DAY) == 3


def test_a_pause_holds_reminders_and_a_stop_cancels_them(wave, first, manager, now):
    remind.remind(now + 5 * DAY)
    waves.pause(wave, manager, now)
    assert set(Message.objects.filter(kind="reminder").values_list("state")) == {("held",)}
    waves.stop(wave, manager, now)
    assert set(Message.objects.filter(kind="reminder").values_list("state")) == {("cancelled",)}


def test_an_invitation_after_an_event_is_reminded_of_too(nps, first, customer, now):
    ask.invite(nps, [customer], "event:1", now)
    deliver(now)
    assert remind.remind(now + 5 * DAY) == 1


def test_each_of_five_reminders_has_its_day_and_they_keep_a_day_apart(wave, nps, now):
    for number in range(1, 6):
        Reminder.objects.create(survey=nps, number=number, after_days=2 * number)
    sent = []
    for day in range(1, 15):
        sent.append(remind.remind(now + day * DAY))
        deliver(now + day * DAY)
    assert sent == [0, 3, 0, 3, 0, 3, 0, 3, 0, 3, 0, 0, 0, 0]


def test_after_a_long_silence_of_the_clock_reminders_do_not_come_all_at_once(wave, nps, now):
    for number in (1, 2):
        Reminder.objects.create(survey=nps, number=number, after_days=number)
    assert remind.remind(now + 9 * DAY) == 3
    deliver(now + 9 * DAY)
    assert remind.remind(now + 9.5 * DAY) == 0
    assert remind.remind(now + 10 * DAY) == 3


def test_a_reminder_waits_for_the_customers_window(wave, first, now):
    Survey.objects.update(send_from=8, send_until=20, working_days_only=True)
    Customer.objects.update(time_zone="Europe/Berlin")
    wave.at_once = True  # only the wave itself was not to wait
    wave.save()
    remind.remind(now + 5 * DAY)  # a Sunday
    due = set(Message.objects.filter(kind="reminder").values_list("next_at", flat=True))
    assert due == {(now + 6 * DAY).replace(hour=7)}


def test_reminding_goes_on_in_batches(wave, first, now, monkeypatch):
    monkeypatch.setattr(remind, "BATCH", 2)
    assert remind.remind(now + 5 * DAY) == 3


def test_everybody_who_has_not_answered_is_reminded_by_hand(wave, manager, now):
    answer.give(wave.invitations.get(customer__name="C1"), 7, "", now)
    assert remind.remind_wave(wave, manager, now + 2 * DAY) == 2
    assert reminders() == [("C0", "1"), ("C2", "1")]
    assert Message.objects.filter(kind="reminder").first().reminder is None
    entry = AuditEntry.objects.get(verb="remind")
    assert (entry.actor, entry.after) == (manager, {"reminded": 2})


def test_by_hand_takes_the_next_number_and_its_words(wave, nps, first, manager, now):
    second = Reminder.objects.create(survey=nps, number=2, after_days=20)
    remind.remind(now + 5 * DAY)
    deliver(now + 5 * DAY)
    assert remind.remind_wave(wave, manager, now + 7 * DAY) == 3
    deliver(now + 7 * DAY)
    assert set(Message.objects.filter(reminder=second).values_list("state")) == {("sent",)}
    assert remind.remind(now + 20 * DAY) == 0  # the second has been given already


def test_pressing_twice_reminds_once(wave, manager, now):
    assert remind.remind_wave(wave, manager, now + 2 * DAY) == 3
    assert remind.remind_wave(wave, manager, now + 2 * DAY) == 0
    deliver(now + 2 * DAY)
    assert remind.remind_wave(wave, manager, now + 2.9 * DAY) == 0


def test_nobody_is_reminded_more_than_five_times(wave, manager, now):
    told = []
    for day in range(2, 9):
        told.append(remind.remind_wave(wave, manager, now + day * DAY))
        deliver(now + day * DAY)
    assert told == [3, 3, 3, 3, 3, 0, 0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda: Wave.objects.update(state="paused"), "under way"),
        (lambda: Wave.objects.update(state="stopped"), "under way"),
        (lambda: Survey.objects.update(is_open=False), "is closed"),
        (lambda: Survey.objects.update(paused_reason="Bounces."), "Bounces"),
    ],
)
def test_reminding_by_hand_is_refused_where_nothing_may_be_sent(wave, manager, now, change, said):
    change()
    with pytest.raises(remind.CannotRemind, match=said):
        remind.remind_wave(Wave.objects.select_related("survey").get(), manager, now + 2 * DAY)
    assert reminders() == []


@pytest.mark.parametrize("rows", [1, 3])
def test_reminding_takes_as_many_queries_for_many(
    nps, account, first, now, rows, django_assert_num_queries
):
    people = [
        Customer.objects.create(account=account, email=f"c{n}@x.example") for n in range(rows)
    ]
    ask.invite(nps, people, "event:1", now)
    deliver(now)
    with django_assert_num_queries(7):
        assert remind.remind(now + 5 * DAY) == rows
    assert Invitation.objects.count() == rows
