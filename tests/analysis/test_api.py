"""The report as another system reads it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from analysis.fold import fold_all
from surveys.loop import reach_out
from surveys.models import Customer, OutreachTask
from tests.surveys.api.conftest import Caller, caller_for, said, unhappy

REPORT = "/api/v1/report/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader(manager) -> Caller:
    return caller_for(manager, "read")


def happened(nps, account, alice, now, reached: int, ignored: int) -> None:
    """Detractors of `now`, of whom some were reached the next day."""
    for number in range(reached + ignored):
        someone = Customer.objects.create(account=account, email=f"c{number}@x.example")
        task = unhappy(nps, someone, now)
        if number < reached:
            reach_out.log_contact(task, alice, "phone", "spoke", "", now + timedelta(days=1))
    fold_all()


def test_the_month_is_reported_with_its_counts(reader, nps, account, alice, now):
    happened(nps, account, alice, now, reached=9, ignored=3)
    body = reader.get(f"{REPORT}?month=2026-03").json()
    assert body["goal"] == 0.95
    assert body["as_of"].endswith("Z")
    assert [month["month"] for month in body["months"]] == [
        *(f"2025-{number:02}" for number in range(4, 13)),
        *("2026-01", "2026-02", "2026-03"),
    ]
    march = body["months"][-1]
    closure = march["closure"]
    assert 0.46 < closure.pop("low") < 0.75 < closure.pop("high") < 0.92
    assert closure == {
        "rate": 0.75,
        "n": 12,
        "contacted_in_time": 9,
        "late": 0,
        "overdue": 3,
        "not_yet_due_contacted": 0,
        "not_yet_due_open": 0,
        "withdrawn": 0,
    }
    assert march["detractors_without_task"] == {
        "imported": 0,
        "anonymous": 0,
        "customer_unknown": 0,
    }
    [survey] = march["surveys"]
    assert (survey["id"], survey["name"], survey["kind"]) == (nps.pk, "Relationship", "nps")
    assert (survey["score"]["value"], survey["score"]["n"]) == (-100.0, 12)
    assert (survey["response_rate"]["value"], survey["response_rate"]["n"]) == (1.0, 12)


def test_few_detractors_make_no_rate(reader, nps, account, alice, now):
    happened(nps, account, alice, now, reached=2, ignored=1)
    march = reader.get(f"{REPORT}?month=2026-03").json()["months"][-1]
    assert (march["closure"]["rate"], march["closure"]["n"]) == (None, 3)
    assert march["surveys"][0]["score"] == {"value": None, "low": None, "high": None, "n": 3}


def test_nothing_at_all_is_a_report_too(reader):
    body = reader.get(REPORT).json()
    assert len(body["months"]) == 12
    assert all(month["closure"]["rate"] is None for month in body["months"])
    assert all(month["surveys"] == [] for month in body["months"])


def test_the_report_can_be_narrowed(reader, nps, account, alice, now):
    happened(nps, account, alice, now, reached=1, ignored=0)

    def counted(query):
        return reader.get(f"{REPORT}?month=2026-03&{query}").json()["months"][-1]["closure"]["n"]

    assert counted(f"survey={nps.pk}&product=Delivery&segment=Enterprise") == 1
    assert counted("product=Invoices") == counted("segment=Small") == 0


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("month=March", "month"),
        ("month=2026-13", "month"),
        ("month=0001-01", "month"),
        ("month=9999-12", "month"),
        ("month=٢٠٢٦-٠٣", "month"),
        ("month=%00", "month"),
        ("survey=abc", "survey"),
        ("survey=9223372036854775808", "survey"),
        ("survey=" + "9" * 5_000, "survey"),
        ("product=%00", "product"),
        ("product=" + "x" * 81, "product"),
        ("segment=a&segment=b", "segment"),
        ("moth=2026-03", "moth"),
    ],
    ids=lambda value: value[:20],
)
def test_doubtful_wishes_are_refused(reader, query, field):
    response = reader.get(f"{REPORT}?{query}")
    assert response.status_code == 400
    assert set(said(response)["fields"]) == {field}


@pytest.mark.parametrize("role", ["product", "alice", "lead", "auditor", "administrator"])
def test_every_role_reads_the_report_and_it_names_nobody(request, role, nps, account, alice, now):
    happened(nps, account, alice, now, reached=1, ignored=1)
    response = caller_for(request.getfixturevalue(role)).get(f"{REPORT}?month=2026-03")
    assert response.status_code == 200
    assert "x.example" not in response.content.decode()
    assert "Lakeside" not in response.content.decode()


def test_strangers_and_writers_are_refused(client, manager):
    assert client.get(REPORT).status_code == 401
    assert caller_for(manager).post(REPORT, {}).status_code == 405


def test_three_rows_take_as_many_queries_as_one(
    reader, nps, customer, account, alice, now, django_assert_max_num_queries
):
    reader.get(REPORT)

    def queries() -> int:
        with django_assert_max_num_queries(10) as captured:
            assert reader.get(f"{REPORT[:-1]}?month=2026-03").status_code == 200
        return len(captured)

    unhappy(nps, customer, now)
    fold_all()
    one = queries()
    happened(nps, account, alice, now, reached=1, ignored=1)
    assert OutreachTask.objects.count() == 3
    assert queries() == one


def test_a_report_is_as_of_now(reader):
    before = timezone.now()
    as_of = reader.get(REPORT).json()["as_of"]
    assert before.isoformat()[:19] <= as_of[:19] <= timezone.now().isoformat()[:19]
