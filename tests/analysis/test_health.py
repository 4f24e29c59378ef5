from decimal import Decimal

import pytest

from analysis.fold import fold_all
from analysis.health import AtRisk, State, health
from analysis.months import Month
from surveys.models import Account, Customer, Kind
from tests.analysis.rows import answer, at
from tests.conftest import survey_of

MARCH = Month(2026, 3)
DAY = at("2026-03-05 09:00")


def answered(survey, name, *scores, when=DAY, **fields) -> Account:
    account = Account.objects.create(name=name, **fields)
    person = Customer.objects.create(account=account, name=f"Of {name}")
    for score in scores:
        answer(survey, when, score, customer=person)
    return account


@pytest.fixture
def accounts(nps):
    answered(nps, "Content", 9, 10, 0, revenue=100, region="North")
    answered(nps, "Edge", 10, 0, 0, 10, 0, 7, 7, 7, 7, 7, revenue=50)  # -10
    answered(nps, "Fifth", 0, 7, 7, 7, 7, revenue=None)  # -20 exactly
    answered(nps, "Cross", 0, 9, 0, revenue=700, segment="Retail")
    answered(nps, "Poor", 3, revenue=None)
    answered(nps, "Silent", revenue=40)
    answered(nps, "Long ago", 0, when=at("2025-03-31 09:00"), revenue=10)
    answered(survey_of(Kind.CSAT, name="Support"), "Other scale", 1, revenue=1)
    fold_all()


def test_each_account_is_in_one_state_with_its_revenue(accounts):
    found = health(MARCH)
    assert found.states == {
        "safe": State(3, Decimal(150)),
        "at_risk": State(2, Decimal(700)),
        "unknown": State(3, Decimal(51)),
    }
    assert (found.accounts, found.known, found.revenue) == (8, 5, Decimal(901))


def test_those_at_risk_are_named_most_revenue_first(accounts):
    first, second = health(MARCH).at_risk
    assert first == AtRisk(first.account, "Cross", Decimal(700), 3, pytest.approx(-100 / 3))
    assert (second.name, second.revenue, second.nps) == ("Poor", None, -100.0)


def test_filters_narrow_the_accounts(accounts):
    assert health(MARCH, segment="Retail").states["at_risk"].accounts == 1
    assert health(MARCH, region="North").accounts == 1
    assert health(MARCH, region="Nowhere").accounts == 0


def test_merged_accounts_are_no_accounts(accounts):
    one, other = Account.objects.filter(name__in=["Silent", "Content"]).order_by("name")
    Account.objects.filter(pk=other.pk).update(merged_into=one, merged_at=DAY, revenue=None)
    assert health(MARCH).states["unknown"].accounts == 2


def test_the_page_names_accounts_to_those_who_see_them(client, manager, product, accounts):
    client.force_login(manager)
    text = client.get("/admin/accounts/", {"month": "2026-03"}).text
    assert "2 of 8 accounts" in text
    assert "5 of 8 (62\u00a0%)" in text
    assert "Cross" in text
    client.force_login(product)
    for path in ("", "report.json"):
        said = client.get(f"/admin/accounts/{path}", {"month": "2026-03"}).text
        assert "Cross" not in said
        assert "At risk" in said or '"at_risk"' in said


def test_without_accounts_it_says_so(client, manager):
    client.force_login(manager)
    assert "There are no accounts with these filters." in client.get("/admin/accounts/").text


def test_two_queries(accounts, django_assert_num_queries):
    with django_assert_num_queries(2):
        health(MARCH)
