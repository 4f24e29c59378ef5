from datetime import timedelta

import pytest

from analysis.closure_report import Recovery, closure_report
from analysis.fold import fold_all
from analysis.measures.closure import Closure
from analysis.measures.needed import Needed
from analysis.measures.scores import NOTHING, share
from analysis.months import Month
from analysis.report import Filters
from surveys.models import Account, Confirmation, Customer, OutreachTask, Response
from tests.analysis.rows import answer, asked, at, detractor

NOW = at("2026-03-20 12:00")
DAY = at("2026-03-10 09:00")
MARCH = Month(2026, 3)
QUERIES = 9


def march(now=NOW, recovered=False, **filters):
    fold_all()
    return closure_report(Filters(month=MARCH, **filters), now, recovered)


@pytest.fixture
def accounts(alice, bob):
    return [
        Account.objects.create(name="Large", owner=alice, region="North", revenue=2_000_000),
        Account.objects.create(name="Small", owner=bob, region="South", revenue=5_000),
    ]


def task(survey, account, owner, when=DAY, contacted=None, **fields) -> OutreachTask:
    customer = Customer.objects.create(account=account, name="Somebody")
    found = detractor(survey, when, contacted, customer, **fields)
    OutreachTask.objects.filter(pk=found.pk).update(owner=owner)
    found.refresh_from_db()
    return found


def test_each_grouping_holds_every_task_once(nps, accounts, alice, bob):
    large, small = accounts
    for contacted in (5, 5, 80):
        task(nps, large, alice, contacted=contacted, segment="Enterprise")
    task(nps, small, bob)
    task(nps, small, None, when=NOW - timedelta(hours=5), contacted=1)  # counted from its row
    found = march()
    assert found.closure == Closure(2, 1, 1, 1, 0, 0)
    assert all(
        sum((c for _, c in rows), Closure()) == found.closure for rows in found.groups.values()
    )
    assert found.groups["owner"] == [
        ("Alice", Closure(2, 1)), ("Bob", Closure(overdue=1)),
        ("Unassigned", Closure(not_yet_due_contacted=1)),
    ]  # fmt: skip
    assert [name for name, _ in found.groups["team"]] == ["North", "South", "No team"]
    assert [name for name, _ in found.groups["tier"]] == ["1,000,000 or more", "Below 100,000"]
    assert [name for name, _ in found.groups["segment"]] == ["Enterprise", "None"]
    assert [name for name, _ in found.groups["region"]] == ["North", "South"]


def test_the_month_before_stands_beside_it(nps, accounts, alice):
    task(nps, accounts[0], alice, when=at("2026-02-10 09:00"), contacted=5)
    task(nps, accounts[0], alice)
    found = march()
    assert (found.closure, found.before) == (Closure(overdue=1), Closure(1))
    assert found.change.value == -1.0


def test_filters_narrow_all_of_it(nps, accounts, alice, bob):
    task(nps, accounts[0], alice, contacted=5)
    south = task(nps, accounts[1], bob)
    Confirmation.objects.create(
        task=south, number=1, claimed=True, asked_at=DAY, answered_at=DAY, got_back="no"
    )
    found = march(region="South", survey=nps.pk)
    assert found.closure == Closure(overdue=1)
    assert (found.first_contact.n, found.time_to_close.n, found.false_closures.denied) == (1, 1, 1)
    assert march(region="North").false_closures.n == 0


def test_the_curve_is_of_the_cohort_and_the_waiting_still_wait(nps, accounts, alice):
    task(nps, accounts[0], alice, contacted=10)
    task(nps, accounts[0], alice)
    task(nps, accounts[0], alice, when=at("2026-02-10 09:00"), contacted=1)
    curve = march().first_contact
    assert (curve.n, curve.events, curve.before(24 * 60).survival) == (2, 1, 0.5)


def test_who_closes_without_a_contact_is_closed_and_not_reached(nps, accounts, alice, root_cause):
    found = task(nps, accounts[0], alice)
    OutreachTask.objects.filter(pk=found.pk).update(
        state="closed", closed_at=DAY + timedelta(hours=30), outcome="no_reply", action="Wrote",
        root_cause=root_cause,
    )  # fmt: skip
    task(nps, accounts[0], alice, contacted=2)
    report = march()
    assert report.time_to_close.quantile(0.5) == 30.0
    assert (report.time_to_close.n, report.first_contact.events) == (2, 1)


def test_who_recovered_is_told_apart_by_whether_they_were_reached(nps, accounts, alice):
    def again(found, score, days):
        when = DAY + timedelta(days=days)
        invitation = asked(nps, found.customer, when)
        answer(nps, when, score, invitation=invitation, customer=found.customer)

    reached, ignored, late, silent = (
        task(nps, accounts[0], alice, contacted=hours) for hours in (5, None, 200, 5)
    )
    again(reached, 10, 3)
    again(reached, 0, 4)  # only the next one counts
    again(ignored, 2, 3)
    again(late, 9, 5)  # answered before anybody reached them
    found = march(recovered=True).recovery
    assert found == Recovery(reached=share(1, 1), unreached=share(1, 2))
    Response.objects.filter(customer=silent.customer).exclude(pk=silent.response_id).delete()
    assert march().recovery is None
    assert march(recovered=True, region="Nowhere").recovery == Recovery(NOTHING, NOTHING)


def test_what_it_takes_this_month(nps, accounts, alice):
    for _ in range(18):
        task(nps, accounts[0], alice, contacted=5)
    task(nps, accounts[0], alice)
    task(nps, accounts[0], alice, when=NOW - timedelta(hours=5))
    assert march().needed == Needed(running=1, of_running=1, further=0, misses=1)


@pytest.mark.parametrize("rows", [1, 3])
def test_queries_do_not_grow(nps, accounts, alice, rows, django_assert_num_queries):
    for n in range(rows):
        task(nps, accounts[n % 2], alice, contacted=5, segment=f"Segment {n}")
    fold_all()
    with django_assert_num_queries(QUERIES):
        closure_report(Filters(month=MARCH), NOW)
