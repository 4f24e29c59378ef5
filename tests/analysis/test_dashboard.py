from datetime import date

import pytest

from analysis.dashboard import dashboard
from analysis.fold import fold_all
from analysis.measures.closure import Closure
from analysis.measures.scores import NOTHING, Score, csat
from analysis.measures.scores import nps as nps_of
from analysis.months import Month
from analysis.report import Asked, Filters
from surveys.models import Account, Customer, Kind, Response
from tests.analysis.rows import answer, asked, at, detractor
from tests.conftest import survey_of

NOW = at("2026-03-20 12:00")
DAY = at("2026-03-10 09:00")  # a Tuesday
MARCH = Month(2026, 3)
QUERIES = 11


def march(unit="month", now=NOW, **filters):
    fold_all()
    return dashboard(Filters(month=MARCH, **filters), unit, now)


@pytest.fixture
def support(db):
    return survey_of(Kind.CSAT, name="Support")


def gave(survey, score, n, when=DAY, **fields):
    for _ in range(n):
        answer(survey, when, score, **fields)


def test_five_figures_of_the_month(nps, support, customer):
    gave(nps, 10, 30)
    gave(nps, 0, 10, source=Response.Source.ANONYMOUS)
    gave(support, 5, 9)
    gave(support, 1, 3)
    detractor(nps, DAY, 5)
    detractor(nps, DAY)
    asked(nps, customer, DAY)
    found = march()
    assert found.chosen.nps == nps_of(30, 0, 2)
    assert found.chosen.csat == csat(9, 0, 3)
    assert found.chosen.asked == Asked(3, 2)
    assert found.chosen.closure == Closure(contacted_in_time=1, overdue=1)
    assert found.overdue == 1
    assert [day for day, _ in found.periods][::11] == [date(2025, 4, 1), date(2026, 3, 1)]
    assert found.before.nps == NOTHING


def test_weeks_begin_on_monday(nps):
    gave(nps, 10, 10)
    gave(nps, 0, 10, when=at("2026-03-08 23:00"))  # the Sunday before
    found = march("week")
    assert [day for day, _ in found.periods][-2:] == [date(2026, 3, 9), date(2026, 3, 16)]
    assert [one.nps.value for _, one in found.periods][-3:] == [-100.0, 100.0, None]
    assert len(found.periods) == 12


def test_several_surveys_of_one_account_are_one_account(nps, account):
    second = survey_of(Kind.NPS, name="Second")
    people = [Customer.objects.create(account=account, name=f"C{n}") for n in range(20)]
    for number, person in enumerate(people):
        answer((nps, second)[number % 2], DAY, 10 if number % 3 else 0, customer=person)
    assert march().chosen.accounts.accounts == 1
    assert march(survey=nps.pk).chosen.accounts.accounts == 1
    wide = march().chosen.nps
    assert (wide.n, round(wide.low), round(wide.high)) == (20, -80, 80)


def test_small_groups_are_hidden_and_so_is_what_would_tell_them(nps):
    gave(nps, 10, 40, segment="Large")
    gave(nps, 10, 20, segment="Middle")
    gave(nps, 0, 4, segment="Small")
    scores = {name: one.nps for name, one, _ in march().groups["segment"]}
    assert scores["Large"].value == 100.0
    assert scores["Middle"] == Score(None, None, None, 20)
    assert scores["Small"] == Score(None, None, None, 4)
    assert march(segment="Small").chosen.nps == Score(None, None, None, 4)


def test_groups_of_a_narrower_report_are_no_difference_either(nps):
    gave(nps, 10, 40, segment="Large", product="App")
    gave(nps, 0, 3, segment="Large", product="Web")
    gave(nps, 10, 30, segment="Small", product="App")
    scores = {name: one.nps.value for name, one, _ in march(product="App").groups["segment"]}
    assert scores == {"Large": None, "Small": 100.0}


def test_groups_by_region_and_survey(nps, support, customer):
    Account.objects.update(region="North")
    detractor(nps, DAY, customer=customer)
    gave(support, 5, 12)
    found = march()
    assert [(name, one.closure, n) for name, one, n in found.groups["region"]] == [
        ("North", Closure(overdue=1), 1), ("None", Closure(), 0),
    ]  # fmt: skip
    assert {name: one.csat.n for name, one, _ in found.groups["survey"]}["Support"] == 12


def test_csat_of_thirty_days_is_told_each_week(support):
    gave(support, 5, 12, when=at("2026-03-20 09:00"))
    gave(support, 1, 12, when=at("2026-02-18 09:00"))
    found = march()
    assert len(found.csat) == 13
    assert found.csat[-1] == (date(2026, 3, 20), csat(12, 0, 0))
    assert found.csat[-2] == (date(2026, 3, 13), csat(0, 0, 12))
    assert found.csat[0][1] == NOTHING


def test_an_empty_house_has_five_empty_figures(db):
    found = march()
    assert (found.chosen.nps, found.chosen.csat, found.overdue) == (NOTHING, NOTHING, 0)
    assert found.groups == {"segment": [], "region": [], "survey": []}


@pytest.mark.parametrize("rows", [1, 3])
def test_queries_do_not_grow(rows, db, django_assert_num_queries):
    for n in range(rows):
        survey = survey_of(Kind.NPS, name=f"Survey {n}")
        detractor(survey, DAY, segment=f"Segment {n}")
    fold_all()
    with django_assert_num_queries(QUERIES):
        dashboard(Filters(month=MARCH), "month", NOW)
