"""A mail that is late does not come at night."""

from datetime import timedelta

import pytest

from surveys.delivery import send
from surveys.delivery.openings import closed_until
from surveys.loop import ask
from surveys.models import Customer, Message, Survey, Wave


@pytest.fixture
def nps(nps):
    nps.send_from, nps.send_until, nps.working_days_only = 8, 20, True
    nps.save()
    return nps


@pytest.fixture
def customer(customer):
    customer.time_zone, customer.country = "Europe/Berlin", "DE"
    customer.save()
    return customer


@pytest.fixture
def message(nps, customer, now) -> Message:
    ask.invite(nps, [customer], "event:1", now)
    about = ("invitation__survey", "invitation__customer", "invitation__wave")
    return Message.objects.select_related(*about).get()


def test_what_is_due_within_the_window_goes_out(message, now):
    assert closed_until(message, now) is None
    assert closed_until(message, now.replace(hour=18, minute=59)) is None


def test_what_is_carried_past_its_end_waits_for_the_morning(message, now):
    night = now.replace(hour=19)
    morning = (now + timedelta(days=1)).replace(hour=7)
    assert closed_until(message, night) == morning


def test_a_wave_that_is_sent_at_once_waits_for_nothing_but_its_reminders_do(message, nps, now):
    message.invitation.wave = Wave.objects.create(survey=nps, name="Now", at_once=True)
    night = now.replace(hour=19)
    assert closed_until(message, night) is None
    message.kind = Message.Kind.REMINDER
    assert closed_until(message, night) == (now + timedelta(days=1)).replace(hour=7)


def test_notices_to_colleagues_come_at_any_hour(message, manager, now):
    notice = Message(kind="contact_silent", invitation=message.invitation, user=manager)
    assert closed_until(notice, now.replace(hour=19)) is None


@pytest.mark.django_db(transaction=True)
def test_a_backlog_that_lasts_into_the_night_is_sent_in_the_morning(message, mail_server, now):
    night, morning = now.replace(hour=23), (now + timedelta(days=1)).replace(hour=7)
    assert send.drain(lambda: night) == 0
    message.refresh_from_db()
    assert (message.state, message.next_at, message.attempts) == ("queued", morning, 0)
    assert send.drain(lambda: morning) == 1
    assert mail_server.recipients == [Customer.objects.get().email]


@pytest.mark.django_db(transaction=True)
def test_an_open_window_is_what_lets_it_through(message, mail_server, now):
    Survey.objects.update(send_until=24)
    assert send.drain(lambda: now.replace(hour=22, minute=59)) == 1
