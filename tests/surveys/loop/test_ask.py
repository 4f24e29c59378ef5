import threading
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from surveys.admin.default_words import default_wording
from surveys.delivery.copying import copy_in
from surveys.loop import answer, ask
from surveys.loop.suppress import suppress as stop_writing
from surveys.models import (
    Account,
    AuditEntry,
    Customer,
    CustomerProperty,
    Family,
    Invitation,
    Message,
    Response,
    Survey,
    User,
    Wave,
)


@pytest.fixture
def wave(nps):
    return Wave.objects.create(survey=nps, name="Spring")


@pytest.fixture
def customers(account):
    return [
        Customer.objects.create(account=account, name=f"C{i}", email=f"c{i}@lakeside.example")
        for i in range(5)
    ]


def test_a_launched_wave_asks_everyone_once(wave, customers, manager, now):
    ask.launch(wave, manager, now)
    assert ask.plan(now, batch=2) == 5
    wave.refresh_from_db()
    assert wave.state == "launched"
    assert Invitation.objects.filter(wave=wave, decision="ask").count() == 5
    assert Message.objects.filter(kind="invitation", state="queued").count() == 5
    assert ask.plan(now) == 0


def test_a_planner_that_was_killed_goes_on_where_it_was(wave, customers, manager, now):
    ask.launch(wave, manager, now)
    ask._plan_batch(now, 2)
    assert Invitation.objects.count() == 2
    assert ask.plan(now, batch=2) == 3
    assert Message.objects.count() == 5


def test_a_wave_is_launched_once(wave, manager, now):
    ask.launch(wave, manager, now)
    with pytest.raises(ask.CannotLaunch, match="has been launched already"):
        ask.launch(wave, manager, now)
    assert AuditEntry.objects.filter(verb="launch").count() == 1


def test_a_survey_that_is_closed_or_wordless_cannot_be_launched(wave, manager, now):
    Survey.objects.update(is_open=False)
    wave.refresh_from_db()
    with pytest.raises(ask.CannotLaunch, match="is closed"):
        ask.launch(wave, manager, now)
    empty = Wave.objects.create(survey=Survey.objects.create(name="Empty"), name="One")
    with pytest.raises(ask.CannotLaunch, match="has no wording yet"):
        ask.launch(empty, manager, now)


def test_every_decision_not_to_ask_is_a_row_with_its_reason(nps, customers, now):
    nobody = Customer.objects.create(name="No address")
    stop_writing(customers[0].email, "unsubscribed", now, family=nps.family)
    stop_writing(customers[1].email, "complained", now)
    asked = ask.invite(nps, [*customers, nobody], "event:1", now)
    by_customer = {invitation.customer_id: invitation.decision for invitation in asked}
    assert [by_customer[customer.pk] for customer in [*customers, nobody]] == [
        "suppressed",
        "suppressed",
        "ask",
        "ask",
        "ask",
        "no_address",
    ]
    assert Message.objects.count() == 3


def test_a_suppression_for_another_survey_does_not_count(nps, customers, now):
    stop_writing(
        customers[0].email, "unsubscribed", now, family=Family.objects.create(name="Other")
    )
    assert [i.decision for i in ask.invite(nps, customers[:1], "event:1", now)] == ["ask"]


def test_asking_again_for_the_same_occasion_changes_nothing(nps, customer, now):
    first = ask.invite(nps, [customer], "event:1", now)
    again = ask.invite(nps, [customer], "event:1", now + timedelta(days=1))
    assert first == again
    assert Message.objects.count() == 1


def test_a_closed_survey_asks_nobody(nps, customer, now):
    nps.is_open = False
    with pytest.raises(ask.SurveyClosed):
        ask.invite(nps, [customer], "event:1", now)


def test_the_audience_follows_segment_language_owner_and_key_contact(nps, alice, bob, now):
    mills = Account.objects.create(name="Mills", owner=alice, segment="Enterprise")
    shop = Account.objects.create(name="Shop", owner=bob, segment="Small")
    for name, account, fields in [
        ("inherits", mills, {}),
        ("overrides", mills, {"segment": "Small"}),
        ("german", shop, {"language": "de"}),
        ("key", shop, {"is_key_contact": True}),
    ]:
        Customer.objects.create(name=name, account=account, **fields)

    def names(**audience):
        wave = Wave(survey=nps, name="W", **audience)
        return sorted(wave.audience(now).values_list("name", flat=True))

    assert names() == ["german", "inherits", "key", "overrides"]
    assert names(segment="Enterprise") == ["inherits"]
    assert names(segment="Small") == ["german", "key", "overrides"]
    assert names(language="de") == ["german"]
    assert names(owner=alice) == ["inherits", "overrides"]
    assert names(key_contacts_only=True) == ["key"]
    assert names(account=shop) == ["german", "key"]


def test_the_audience_follows_the_last_survey_and_the_last_answer(nps, customers, now):
    ask.invite(nps, customers[:2], "event:1", now - timedelta(days=100))
    [lately, *_] = ask.invite(nps, customers[2:3], "event:2", now - timedelta(days=10))
    [first, second] = nps.invitations.filter(occasion="event:1").order_by("customer")
    answer.give(first, 2, "", now - timedelta(days=99))
    answer.give(second, 9, "", now - timedelta(days=99))
    answer.give(lately, 3, "", now - timedelta(days=9))
    answer.give(ask.invite(nps, customers[1:2], "event:3", now - timedelta(days=50))[0], 4, "",
                now - timedelta(days=50))  # fmt: skip

    def names(**audience):
        wave = Wave(survey=nps, name="W", **audience)
        return sorted(wave.audience(now).values_list("name", flat=True))

    assert names(not_asked_for_days=30) == ["C0", "C1", "C3", "C4"]
    assert names(not_asked_for_days=60) == ["C0", "C3", "C4"]
    assert names(last_band="detractor") == ["C0", "C1", "C2"]  # C1 was a promoter before
    assert names(last_band="promoter") == []
    assert names(last_band="detractor", not_asked_for_days=30) == ["C0", "C1"]
    assert names(last_score_from=3) == ["C1", "C2"]
    assert names(last_score_to=3) == ["C0", "C2"]
    assert names(last_score_from=3, last_score_to=3) == ["C2"]
    csat = Survey.objects.create(name="Support", kind="csat")
    assert not Wave(survey=csat, name="W", last_score_from=1).audience(now).exists()


def test_scores_that_end_before_they_begin_are_refused(nps):
    with pytest.raises(ValidationError, match="end before they begin"):
        Wave(survey=nps, name="W", last_score_from=5, last_score_to=4).clean()


def test_an_answer_by_a_machine_is_nobodys_last_answer(nps, customer, now):
    [invitation] = ask.invite(nps, [customer], "event:1", now)
    given, _ = answer.give(invitation, 2, "", now)
    audience = Wave(survey=nps, name="W", last_band="detractor").audience(now)
    assert list(audience) == [customer]
    Response.objects.filter(pk=given.pk).update(verdict="machine")
    assert list(audience.all()) == []


def test_the_audience_follows_custom_properties(nps, customers, now):
    for customer, plan in zip(customers, ["Gold", "Gold", "Silver"], strict=False):
        CustomerProperty.objects.create(customer=customer, name="plan", value=plan)

    def names(**audience):
        wave = Wave(survey=nps, name="W", **audience)
        return sorted(wave.audience(now).values_list("name", flat=True))

    assert names(property_name="plan", property_value="Gold") == ["C0", "C1"]
    assert names(property_name="plan") == ["C0", "C1", "C2"]
    assert names(property_name="colour") == []


def test_a_sample_is_drawn_by_chance_and_stays_drawn(nps, customers, manager, now):
    waves = [Wave.objects.create(survey=nps, name=str(n), sample_size=2) for n in range(8)]
    draws = [set(wave.audience(now).values_list("pk", flat=True)) for wave in waves]
    assert [len(draw) for draw in draws] == [2] * 8
    assert len({frozenset(draw) for draw in draws}) > 1
    ask.launch(waves[0], manager, now)
    assert waves[0].audience_size == 2
    assert ask.plan(now, batch=1) == 2
    assert set(waves[0].invitations.values_list("customer", flat=True)) == draws[0]


def test_a_sample_larger_than_the_audience_is_everybody(nps, customers, manager, now):
    wave = Wave.objects.create(survey=nps, name="W", sample_size=50)
    ask.launch(wave, manager, now)
    assert (wave.sample_cut, ask.plan(now)) == ("", 5)


def test_a_sample_of_nobody_asks_nobody(nps, customers, manager, now):
    wave = Wave.objects.create(survey=nps, name="W", sample_size=0)
    assert wave.audience(now).count() == 0
    ask.launch(wave, manager, now)
    assert ask.plan(now) == 0


def test_a_wave_waits_for_its_survey_and_holds_up_no_other(wave, customers, manager, now):
    other = Survey.objects.create(name="Other", send_from=0, send_until=24, working_days_only=False)
    default_wording(other, "en").save()
    second = Wave.objects.create(survey=other, name="Second")
    ask.launch(wave, manager, now)
    ask.launch(second, manager, now + timedelta(seconds=1))
    Survey.objects.filter(pk=wave.survey_id).update(paused_reason="6 of 100 mails bounced.")
    assert ask.plan(now) == 5
    assert set(Invitation.objects.values_list("wave", flat=True)) == {second.pk}
    Survey.objects.update(paused_reason="")
    assert ask.plan(now) == 5
    wave.refresh_from_db()
    assert wave.state == "launched"


def test_a_paused_survey_cannot_be_launched(wave, manager, now):
    Survey.objects.update(paused_reason="6 of 100 mails bounced.")
    wave.refresh_from_db()
    with pytest.raises(ask.CannotLaunch, match="6 of 100 mails bounced"):
        ask.launch(wave, manager, now)


def test_a_large_wave_is_planned_in_turns(wave, customers, manager, now):
    ask.launch(wave, manager, now)
    assert [ask.plan(now, batch=2, at_a_time=4) for _ in range(3)] == [4, 1, 0]


def test_a_mail_waits_for_the_customers_morning(nps, customer, now):
    Survey.objects.update(send_from=8, send_until=20, working_days_only=True)
    nps.refresh_from_db()
    Customer.objects.update(time_zone="America/Los_Angeles")  # it is two at night there
    [invitation] = ask.invite(nps, [customer], "event:1", now)
    morning = now.replace(hour=15, minute=0)
    assert invitation.send_at == morning
    assert invitation.expires_at == morning + timedelta(days=30)
    assert Message.objects.get().next_at == morning


def test_send_at_once_waits_for_no_morning(wave, customer, manager, now):
    Survey.objects.update(send_from=20, send_until=21, working_days_only=True)
    Wave.objects.update(at_once=True)
    wave.refresh_from_db()
    ask.launch(wave, manager, now)
    ask.plan(now)
    assert Message.objects.get().next_at == now


def test_a_wave_is_spread_evenly_for_every_owner(nps, alice, bob, manager, now):
    for owner in (alice, bob):
        account = Account.objects.create(name=f"Of {owner}", owner=owner)
        for n in range(6):
            Customer.objects.create(account=account, name="C", email=f"{owner.pk}-{n}@x.example")
    wave = Wave.objects.create(survey=nps, name="Slow", spread_days=3)
    ask.launch(wave, manager, now)
    ask.plan(now)
    days = Counter(wave.invitations.values_list("customer__account__owner", "send_at__date"))
    dates = [now.date() + timedelta(days=n) for n in range(3)]
    assert days == {(owner.pk, day): 2 for owner in (alice, bob) for day in dates}


def test_no_owners_day_is_fuller_over_many_batches(nps, manager, now, monkeypatch):
    """Seven owners in turn and batches of eight: a deal that began anew with each batch would give
    some of them their cards on the same day."""
    owners = [
        User.objects.create(email=f"o{n}@x.example", name=f"O{n}", role="account_manager")
        for n in range(7)
    ]
    accounts = [Account.objects.create(name=f"A{owner.pk}", owner=owner) for owner in owners]
    for n in range(84):
        Customer.objects.create(account=accounts[n % 7], name="C", email=f"s{n}@x.example")
    Customer.objects.filter(pk__in=Customer.objects.order_by("?")[:14]).update(email=None)
    wave = Wave.objects.create(survey=nps, name="Slow", spread_days=4)
    ask.launch(wave, manager, now)
    while ask.plan(now, batch=8, at_a_time=8):
        pass
    asked = wave.invitations.filter(decision="ask")
    assert asked.count() == 70
    by_owner = defaultdict(list)
    for owner, day in asked.values_list("customer__account__owner", "send_at__date"):
        by_owner[owner].append(day)
    for days in by_owner.values():
        counts = Counter(days).values()
        assert max(counts) - min(counts) <= 1


def test_a_wave_starts_on_its_day_and_skips_days_off(nps, customers, manager, now):
    Survey.objects.update(send_from=8, send_until=20, working_days_only=True)
    Customer.objects.update(time_zone="Europe/Berlin", country="DE")
    good_friday = now.date().replace(month=4, day=3)
    wave = Wave.objects.create(survey=nps, name="W", starts_on=good_friday, spread_days=2)
    ask.launch(wave, manager, now)
    ask.plan(now)
    days = Counter(wave.invitations.values_list("send_at", flat=True))
    tuesday = now.replace(month=4, day=7, hour=6, minute=0)
    assert days == {tuesday: 3, tuesday + timedelta(days=1): 2}


def test_a_heads_up_comes_days_before_from_whom_there_is(wave, customers, bob, manager, now):
    Account.objects.create(name="Nobody's")
    Customer.objects.filter(pk=customers[0].pk).update(account=Account.objects.get(owner=None))
    Wave.objects.update(heads_up_days=3)
    wave.refresh_from_db()
    ask.launch(wave, manager, now)
    ask.plan(now)
    planned = Counter(Message.objects.values_list("kind", "next_at"))
    assert planned == {("invitation", now + timedelta(days=3)): 5, ("heads_up", now): 4}
    announced = Message.objects.filter(kind="heads_up").values_list("dedupe_key", "invitation")
    assert all(key == f"heads-up:{pk}" for key, pk in announced)


def test_two_askers_at_once_ask_a_customer_once(transactional_db, nps, customer, now, monkeypatch):
    assert asked_at_once(nps, customer, now, monkeypatch) == ["ask", "throttled"]


def test_without_the_lock_two_askers_would_ask_twice(
    transactional_db, nps, customer, now, monkeypatch
):
    rows = Customer.objects.select_related("account").order_by("pk")
    monkeypatch.setattr(ask, "lock", lambda ids: list(rows.filter(pk__in=ids)))
    assert asked_at_once(nps, customer, now, monkeypatch) == ["ask", "ask"]


def asked_at_once(nps, customer, now, monkeypatch) -> list[str]:
    """Two askers that wait for each other, for half a second, before they write."""
    both = threading.Barrier(2)

    def meet_and_copy(rows):
        with suppress(threading.BrokenBarrierError):
            both.wait(timeout=0.5)
        copy_in(rows)

    monkeypatch.setattr(ask, "copy_in", meet_and_copy)

    def asker(occasion: str) -> str:
        try:
            return ask.invite(nps, [customer], occasion, now)[0].decision
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        return sorted(pool.map(asker, ["event:1", "event:2"]))


@pytest.mark.parametrize("rows", [1, 3])
def test_planning_takes_as_many_queries_for_many_as_for_one(
    nps, customers, now, rows, django_assert_num_queries
):
    with django_assert_num_queries(11):
        ask.invite(nps, customers[:rows], "event:1", now)
