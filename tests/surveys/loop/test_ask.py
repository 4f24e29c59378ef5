from datetime import timedelta

import pytest

from surveys.loop import ask
from surveys.loop.suppress import suppress
from surveys.models import Account, AuditEntry, Customer, Family, Invitation, Message, Survey, Wave


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
    suppress(customers[0].email, "unsubscribed", now, family=nps.family)
    suppress(customers[1].email, "complained", now)
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
    suppress(customers[0].email, "unsubscribed", now, family=Family.objects.create(name="Other"))
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
        return sorted(wave.audience().values_list("name", flat=True))

    assert names() == ["german", "inherits", "key", "overrides"]
    assert names(segment="Enterprise") == ["inherits"]
    assert names(segment="Small") == ["german", "key", "overrides"]
    assert names(language="de") == ["german"]
    assert names(owner=alice) == ["inherits", "overrides"]
    assert names(key_contacts_only=True) == ["key"]


@pytest.mark.parametrize("rows", [1, 3])
def test_planning_takes_as_many_queries_for_many_as_for_one(
    nps, customers, now, rows, django_assert_num_queries
):
    with django_assert_num_queries(8):
        ask.invite(nps, customers[:rows], "event:1", now)
