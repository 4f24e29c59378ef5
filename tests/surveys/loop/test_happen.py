"""Events of other systems: each stored once, and asked about once, when its time has come."""

import threading
import time
from datetime import timedelta

import pytest
from django.db import connection, transaction

from surveys.loop import ask, happen
from surveys.loop.happen import Contradiction
from surveys.loop.suppress import suppress
from surveys.models import Customer, Event, Invitation, Message, Survey, Trigger

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def trigger(nps):
    return Trigger.objects.create(survey=nps, source="zendesk", happening="ticket.solved")


def solved(customer, now, number=1, **more):
    """A ticket of the customer's was solved at `now`."""
    given = {"happening": "ticket.solved", "product": "", "happened_at": now, **more}
    received = given.pop("received", now)
    return happen.happen("zendesk", str(number), customer=customer, now=received, **given)


def outcomes() -> dict[str, str]:
    return dict(Event.objects.values_list("external_id", "outcome"))


def test_a_solved_ticket_is_asked_about_a_day_later(trigger, customer, now):
    event, is_new = solved(customer, now, product="Hotline")
    assert (is_new, event.trigger, event.ask_at) == (True, trigger, now + DAY)
    assert happen.ask_after_events(now + 23 * HOUR) == 0
    assert happen.ask_after_events(now + DAY) == 1
    event.refresh_from_db()
    invitation = Invitation.objects.get()
    assert (event.invitation, event.outcome, event.decided_at) == (
        invitation,
        "decided",
        now + DAY,
    )
    assert (invitation.survey, invitation.customer) == (trigger.survey, customer)
    assert (invitation.occasion, invitation.product) == ("event:zendesk:1", "Hotline")
    assert Message.objects.get().invitation == invitation
    assert happen.ask_after_events(now + 2 * DAY) == 0


def test_told_twice_it_is_one_event_with_the_same_answer(trigger, customer, now):
    first, was_new = solved(customer, now)
    again, is_new = solved(customer, now, received=now + HOUR)
    assert (was_new, is_new, again) == (True, False, first)
    assert again.received_at == now
    assert Event.objects.count() == 1


def test_a_time_that_was_not_given_contradicts_nothing(trigger, customer, now):
    first, _ = solved(customer, now, happened_at=None)
    again, is_new = solved(customer, now, happened_at=None, received=now + HOUR)
    assert (first.happened_at, is_new, again) == (now, False, first)


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"happening": "ticket.closed"}, "another happening"),
        ({"product": "Hotline"}, "another product"),
        ({"subject": "ticket:9"}, "another subject"),
        ({"happened_at": None, "product": "x", "happening": "y"}, "another happening and product"),
    ],
)
def test_the_same_id_with_other_content_is_refused(trigger, customer, now, other, said):
    solved(customer, now)
    with pytest.raises(Contradiction, match=said):
        solved(customer, now, **other)
    with pytest.raises(Contradiction, match="another happened_at"):
        solved(customer, now + HOUR)
    with pytest.raises(Contradiction, match="another customer"):
        solved(Customer.objects.create(email="other@x.example"), now)
    assert Event.objects.get().happening == "ticket.solved"


def test_the_same_id_in_another_system_is_another_event(trigger, customer, now):
    solved(customer, now)
    event, is_new = happen.happen("freshdesk", "1", "ticket.solved", customer, "", now, now)
    assert (is_new, event.trigger, event.outcome) == (True, None, "no_trigger")
    assert (event.ask_at, event.decided_at) == (None, now)


def test_the_trigger_of_the_product_comes_before_the_one_for_any(trigger, nps, customer, now):
    for_app = Trigger.objects.create(
        survey=nps, source="zendesk", happening="ticket.solved", product="App", delay_hours=2
    )
    for number, (product, fits, hours) in enumerate(
        [("App", for_app, 2), ("Hotline", trigger, 24), ("", trigger, 24)]
    ):
        event, _ = solved(customer, now, number, product=product)
        assert (event.trigger, event.ask_at) == (fits, now + hours * HOUR), product


@pytest.mark.parametrize(
    "other", [{"happening": "ticket.created"}, {"source": "freshdesk"}, {"is_active": False}]
)
def test_what_no_active_trigger_fits_is_kept_and_says_so(trigger, customer, now, other):
    Trigger.objects.update(**other)
    event, _ = solved(customer, now)
    assert (event.outcome, event.trigger, event.decided_at) == ("no_trigger", None, now)


def test_what_is_told_late_is_asked_about_at_once_but_not_weeks_later(trigger, customer, now):
    late, _ = solved(customer, now - 3 * DAY, 1, received=now)
    backfill, _ = solved(customer, now - 9 * DAY, 2, received=now)
    assert (late.ask_at, late.outcome) == (now, "waiting")
    assert (backfill.ask_at, backfill.outcome) == (now, "too_late")
    assert happen.ask_after_events(now) == 1


def test_a_clock_that_stood_still_for_a_week_asks_nobody_about_the_past(trigger, customer, now):
    solved(customer, now)
    assert happen.ask_after_events(now + 9 * DAY) == 1
    assert outcomes() == {"1": "too_late"}
    assert not Invitation.objects.exists()


class TestReopened:
    TICKET = "ticket:4711"

    def reopened(self, customer, now, number=2, **more):
        more = {"happening": "ticket.reopened", "subject": self.TICKET, **more}
        return solved(customer, now, number, **more)

    def test_a_reopened_ticket_is_not_asked_about(self, trigger, customer, now):
        solved(customer, now, 1, subject=self.TICKET)
        self.reopened(customer, now + HOUR)
        assert outcomes() == {"1": "superseded", "2": "no_trigger"}
        assert happen.ask_after_events(now + DAY) == 0

    def test_it_is_asked_about_once_when_it_is_solved_again(self, trigger, customer, now):
        solved(customer, now, 1, subject=self.TICKET)
        self.reopened(customer, now + HOUR, 2)
        solved(customer, now + 2 * HOUR, 3, subject=self.TICKET)
        solved(customer, now + 3 * HOUR, 4, subject=self.TICKET)
        assert happen.ask_after_events(now + 2 * DAY) == 1
        assert outcomes() == {
            "1": "superseded",
            "2": "no_trigger",
            "3": "superseded",
            "4": "decided",
        }
        assert Invitation.objects.get().occasion == "event:zendesk:4"

    def test_news_that_overtake_each_other_end_the_same(self, trigger, customer, now):
        self.reopened(customer, now + HOUR)
        solved(customer, now, 1, subject=self.TICKET, received=now + 2 * HOUR)
        assert outcomes() == {"1": "superseded", "2": "no_trigger"}

    @pytest.mark.parametrize(
        "other", [{"subject": "ticket:4712"}, {"happening": "ticket.rated"}, {"subject": ""}]
    )
    def test_other_news_change_nothing(self, trigger, customer, now, other):
        solved(customer, now, 1, subject=self.TICKET)
        self.reopened(customer, now + HOUR, **other)
        assert outcomes() == {"1": "waiting", "2": "no_trigger"}

    def test_what_has_been_asked_stays_asked(self, trigger, customer, now):
        solved(customer, now, 1, subject=self.TICKET)
        happen.ask_after_events(now + DAY)
        self.reopened(customer, now + DAY + HOUR)
        assert outcomes() == {"1": "decided", "2": "no_trigger"}


def test_the_decision_not_to_ask_is_the_invitation_with_its_reason(trigger, account, now):
    silent = Customer.objects.create(account=account, name="No address")
    out = Customer.objects.create(account=account, email="out@lakeside.example")
    suppress(out.email, "unsubscribed", now)
    for number, one in enumerate((silent, out)):
        solved(one, now, number)
    assert happen.ask_after_events(now + DAY) == 2
    decisions = Event.objects.values_list("external_id", "outcome", "invitation__decision")
    assert set(decisions) == {("0", "decided", "no_address"), ("1", "decided", "suppressed")}
    assert not Message.objects.exists()


def test_events_of_a_paused_survey_wait_until_it_is_resumed(trigger, customer, now):
    solved(customer, now)
    Survey.objects.update(paused_reason="6 % of the mails bounced")
    assert happen.ask_after_events(now + DAY) == 0
    assert outcomes() == {"1": "waiting"}
    Survey.objects.update(paused_reason="")
    assert happen.ask_after_events(now + 2 * DAY) == 1
    assert outcomes() == {"1": "decided"}


def test_events_of_a_closed_or_wordless_survey_say_so(trigger, customer, now):
    solved(customer, now, 1)
    Survey.objects.update(is_open=False)
    assert happen.ask_after_events(now + DAY) == 1
    solved(customer, now + DAY, 2)
    Survey.objects.update(is_open=True)
    trigger.survey.wordings.all().delete()
    assert happen.ask_after_events(now + 2 * DAY) == 1
    assert outcomes() == {"1": "survey_closed", "2": "no_wording"}
    assert not Invitation.objects.exists()


@pytest.mark.parametrize("end", ["switched off", "deleted"])
def test_a_trigger_that_has_gone_meanwhile_asks_nobody(trigger, customer, now, end):
    solved(customer, now)
    if end == "deleted":
        trigger.delete()
    else:
        Trigger.objects.update(is_active=False)
    assert happen.ask_after_events(now + DAY) == 1
    assert outcomes() == {"1": "no_trigger"}


def test_one_event_that_breaks_keeps_up_no_other(trigger, customers, now, monkeypatch, caplog):
    for number, one in enumerate(customers):
        solved(one, now + number * HOUR, number)
    invite = ask.invite

    def breaks_for_the_first(survey, invited, *args, **kwargs):
        if invited == customers[:1]:
            raise RuntimeError("a bug")
        return invite(survey, invited, *args, **kwargs)

    monkeypatch.setattr(ask, "invite", breaks_for_the_first)
    assert happen.ask_after_events(now + 2 * DAY) == 2
    assert outcomes() == {"0": "waiting", "1": "decided", "2": "decided"}
    assert "could not be decided on" in caplog.text
    monkeypatch.undo()
    assert happen.ask_after_events(now + 2 * DAY) == 1


def at_once(count: int, do) -> list:
    """What `do` returned or raised in each of so many threads, which begin together."""
    together, results = threading.Barrier(count), []

    def run():
        try:
            together.wait()
            results.append(do())
        except Exception as error:
            results.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.django_db(transaction=True)
def test_fifty_at_once_are_one_event_and_one_invitation(trigger, customer, now):
    """Row 30 of the faults: the same event fifty times in parallel."""
    told = at_once(50, lambda: solved(customer, now, subject="ticket:4711"))
    assert sorted(is_new for _, is_new in told) == [False] * 49 + [True]
    assert {event.pk for event, _ in told} == {Event.objects.get().pk}
    decided = at_once(8, lambda: happen.ask_after_events(now + DAY))
    assert sorted(decided) == [0] * 7 + [1]
    assert Invitation.objects.count() == Message.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_without_the_unique_key_fifty_at_once_would_be_several(trigger, customer, now):
    """The control: the threads do meet, and it is the key that makes them one."""
    table, columns = Event._meta.db_table, "source, external_id"
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT event_once")
    try:
        at_once(50, lambda: solved(customer, now))
        assert Event.objects.count() > 1
    finally:
        Event.objects.all().delete()
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT event_once UNIQUE ({columns})")


@pytest.mark.django_db(transaction=True)
def test_solved_and_reopened_at_once_end_as_if_one_came_first(trigger, customer, now):
    moments = {"ticket.solved": now, "ticket.reopened": now + HOUR}
    for ticket in range(10):
        news = iter(moments.items())

        def tell(ticket=ticket, news=news):
            what, at = next(news)
            about = {"happening": what, "subject": f"ticket:{ticket}"}
            return solved(customer, at, f"{ticket}:{what}", **about)

        at_once(2, tell)
    assert Event.objects.filter(outcome="superseded").count() == 10


@pytest.mark.django_db(transaction=True)
def test_news_of_a_ticket_that_is_being_asked_about_wait_for_the_end_of_it(
    trigger, customer, now, monkeypatch
):
    """Whoever locks event and customer in another order than the other ends both in a deadlock."""
    solved(customer, now, 1, subject="ticket:1")
    invite, asking = ask.invite, threading.Event()

    def slowly(*args, **kwargs):
        asking.set()
        time.sleep(0.5)  # the other thread stands at its lock by then
        return invite(*args, **kwargs)

    def reopened():
        asking.wait()
        about = {"happening": "ticket.reopened", "subject": "ticket:1"}
        return solved(customer, now + HOUR, 2, **about)[1]

    monkeypatch.setattr(ask, "invite", slowly)
    doing = iter([lambda: happen.ask_after_events(now + DAY), reopened])
    assert at_once(2, lambda: next(doing)()) == [1, True]
    assert outcomes() == {"1": "decided", "2": "no_trigger"}


@pytest.mark.django_db(transaction=True)
def test_an_event_in_the_hands_of_another_sweep_is_left_to_it(trigger, customer, now):
    solved(customer, now)
    with transaction.atomic():
        Event.objects.select_for_update().get()
        assert at_once(1, lambda: happen.ask_after_events(now + DAY)) == [0]
    assert happen.ask_after_events(now + DAY) == 1
