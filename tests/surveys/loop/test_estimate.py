from datetime import timedelta

import pytest

from surveys.loop import ask, estimate
from surveys.loop.suppress import suppress
from surveys.models import Account, Customer, Wave


@pytest.fixture
def people(account):
    return [
        Customer.objects.create(account=account, name=f"C{n}", email=f"c{n}@x.example")
        for n in range(6)
    ]


def test_an_estimate_is_what_the_launch_decides(nps, people, bob, manager, now):
    Customer.objects.create(name="No address")
    Customer.objects.filter(name="C5").update(account=Account.objects.create(name="B", owner=bob))
    suppress("c0@x.example", "unsubscribed", now)
    ask.invite(nps, people[1:3], "event:1", now - timedelta(days=3))
    wave = Wave.objects.create(survey=nps, name="W")
    told = estimate.estimate(wave, now)
    assert (told.total, told.asked, told.is_exact) == (7, 3, True)
    assert told.decisions == {"ask": 3, "throttled": 2, "suppressed": 1, "no_address": 1}
    assert told.throttles == {"family": 2}
    owner = people[0].account.owner_id
    assert told.asked_by_owner == {owner: 2, bob.pk: 1}
    ask.launch(wave, manager, now)
    ask.plan(now)
    decided = wave.invitations.values_list("decision", flat=True)
    assert {one: list(decided).count(one) for one in decided} == told.decisions


def test_it_looks_at_the_day_on_which_each_is_planned(nps, people, now):
    ask.invite(nps, people, "event:1", now - timedelta(days=28.5))
    wave = Wave.objects.create(survey=nps, name="W", spread_days=3)
    assert estimate.estimate(wave, now).decisions == {"throttled": 4, "ask": 2}


def test_a_large_audience_is_estimated_from_some_by_chance(nps, account, now, monkeypatch):
    """Every tenth has no address, as in an import that is sorted by something."""
    Customer.objects.bulk_create(
        Customer(account=account, email=f"c{n}@x.example" if n % 10 else None) for n in range(1_000)
    )
    monkeypatch.setattr(estimate, "LOOKED_AT", 200)
    told = estimate.estimate(Wave.objects.create(survey=nps, name="W"), now)
    assert told.total == 1_000
    assert not told.is_exact
    assert 130 < told.looked_at < 270
    assert 790 < told.asked < 990  # five standard deviations around 900
    assert abs(told.asked + told.decisions["no_address"] - 1_000) <= 1
    assert abs(sum(told.asked_by_owner.values()) - told.asked) <= 1


def test_a_large_sample_is_estimated_too(nps, people, now, monkeypatch):
    monkeypatch.setattr(estimate, "LOOKED_AT", 2)
    told = estimate.estimate(Wave.objects.create(survey=nps, name="W", sample_size=5), now)
    assert told.total == 5
    assert told.looked_at <= 5


def test_an_audience_of_nobody_is_estimated_in_no_time(nps, now):
    told = estimate.estimate(Wave.objects.create(survey=nps, name="W"), now)
    assert (told.total, told.asked, told.is_exact) == (0, 0, True)


@pytest.mark.parametrize("rows", [1, 3])
def test_an_estimate_takes_as_many_queries_for_many(
    nps, people, now, rows, django_assert_num_queries
):
    wave = Wave.objects.create(survey=nps, name="W", sample_size=rows)
    with django_assert_num_queries(5):
        assert estimate.estimate(wave, now).asked == rows
