"""The loop ends with no broker at all, on the clock's ticks alone."""

from datetime import UTC, datetime, timedelta

import pytest
from celery import current_app
from celery.schedules import crontab
from django.core.management import CommandError, call_command
from django.utils import timezone

from surveys.loop import answer, ask
from surveys.management.commands import clock
from surveys.models import Invitation, Message, Slot, Tick, Wave


@pytest.fixture
def no_broker(settings):
    settings.CELERY_BROKER_URL = ""


@pytest.mark.django_db(transaction=True)
def test_without_a_broker_the_clock_alone_finishes_the_loop(
    no_broker, mail_server, nps, customer, alice, manager
):
    wave = Wave.objects.create(survey=nps, name="Spring")
    ask.launch(wave, manager, timezone.now())
    call_command("clock", once=True)
    assert mail_server.recipients == [customer.email]
    answer.give(Invitation.objects.get(), 1, "It never came.", timezone.now())
    call_command("clock", once=True)
    assert mail_server.recipients == [alice.email, customer.email]
    wave.refresh_from_db()
    assert (wave.state, Message.objects.exclude(state="sent").count()) == ("launched", 0)


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_down_costs_nothing_but_time(settings, mail_server, nps, customer):
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"
    ask.invite(nps, [customer], "test:1", timezone.now())
    call_command("clock", once=True)
    assert mail_server.recipients == [customer.email]


@pytest.mark.django_db(transaction=True)
def test_a_sweep_that_fails_does_not_stop_the_others(monkeypatch, mail_server, nps, customer):
    def broken(*args):
        raise RuntimeError("a bug")

    monkeypatch.setattr(ask, "plan", broken)
    ask.invite(nps, [customer], "test:1", timezone.now())
    clock.run_sweeps(clock.sweeps(), {})
    assert mail_server.recipients == [customer.email]
    ran = set(Tick.objects.values_list("name", flat=True))
    assert {"ask after events", "send mail", "free abandoned mail"} <= ran
    assert "plan waves" not in ran


def test_every_entry_of_the_calendar_leads_to_a_task():
    for entry in current_app.conf.beat_schedule.values():
        assert callable(clock.task(entry["task"]))


def test_every_sweep_has_one_place_and_the_reaper_comes_every_second():
    apart, others = clock.sweeps(for_reaper=True), clock.sweeps(for_reaper=False)
    assert list(apart) == ["free abandoned mail"]
    assert apart | others == clock.sweeps()
    assert not apart.keys() & others.keys()
    assert apart["free abandoned mail"]["schedule"] <= clock.SECOND


def test_a_nightly_job_falls_due_once_a_night_also_after_a_pause():
    nightly = crontab(hour="3", minute="10")
    day = datetime(2026, 3, 10, tzinfo=UTC)
    due = [
        clock._fell_due(nightly, day + timedelta(hours=start), day + timedelta(hours=end))
        for start, end in [(2, 3), (3, 3.1), (3.1, 3.2), (3.2, 4), (1, 12), (4, 26), (4, 28)]
    ]
    assert due == [False, False, True, False, True, False, True]


@pytest.mark.django_db
def test_a_slot_is_taken_once(now):
    assert [Slot.take("learn themes", now, now) for _ in range(2)] == [True, False]


def test_an_unknown_sweep_is_refused_with_the_list_of_known_ones():
    with pytest.raises(CommandError, match=r"There are: .*surveys\.tasks\.send_mail"):
        call_command("sweep", "surveys.tasks.nonsense")
