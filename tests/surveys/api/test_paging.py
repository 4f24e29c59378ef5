"""Lists come in pages of at most 100."""

from datetime import timedelta

import pytest
from django.utils import timezone

from surveys.models import Customer
from tests.surveys.api.conftest import said, unhappy

pytestmark = pytest.mark.django_db

CUSTOMERS = "/api/v1/customers/"


@pytest.fixture
def crowd(db):
    Customer.objects.bulk_create(Customer(email=f"c{n}@x.example") for n in range(120))


def test_a_page_has_50_rows_and_at_most_100(reader, crowd):
    assert len(reader.get(CUSTOMERS).json()["results"]) == 50
    assert len(reader.get(f"{CUSTOMERS}?page_size=100").json()["results"]) == 100


@pytest.mark.parametrize("size", ["101", "1000000000000", "0", "-1", "1e2", "٥", "", "05", "a"])
def test_other_sizes_are_refused(reader, crowd, size):
    response = reader.get(CUSTOMERS, {"page_size": size})
    assert response.status_code == 400
    assert said(response)["fields"] == {"page_size": ["Give a number from 1 to 100."]}


def test_following_next_reads_every_row_once(reader, crowd):
    seen, path = [], f"{CUSTOMERS}?page_size=7"
    while path:
        body = reader.get(path).json()
        seen += [row["id"] for row in body["results"]]
        path = body["next"]
        if len(seen) == 35:
            Customer.objects.create(email="arrives@meanwhile.example")
    assert len(seen) == len(set(seen)) == 120
    assert seen == sorted(seen, reverse=True)


def test_previous_leads_back(reader, crowd):
    first = reader.get(f"{CUSTOMERS}?page_size=10").json()
    second = reader.get(first["next"]).json()
    assert reader.get(second["previous"]).json()["results"] == first["results"]


def test_tasks_that_are_due_at_once_are_each_read_once(reader, nps, customer, now):
    for number in range(7):
        unhappy(nps, customer, now - timedelta(hours=number // 5), f"ticket:{number}")
    seen, path = [], "/api/v1/tasks/?page_size=2"
    while path:
        body = reader.get(path).json()
        seen += body["results"]
        path = body["next"]
    assert len({row["id"] for row in seen}) == len(seen) == 7
    due = [row["due_at"] for row in seen]
    assert due == sorted(due)


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "",
        "ключ",
        "cD1hYmM=",  # p=abc
        "cD0lMDA=",  # p=%00
        "cD05OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OQ==",  # p=999...
        "bz0tMQ==",  # o=-1
        "bz0xMDAwMDAwMDAwMDAwMDAwMDAwMDAwMA==",  # o=10**22
        "cj14",  # r=x
    ],
)
@pytest.mark.parametrize("noun", ["customers", "tasks"])
def test_a_cursor_that_was_tampered_with_does_no_harm(reader, crowd, noun, cursor):
    response = reader.get(f"/api/v1/{noun}/", {"cursor": cursor})
    if response.status_code != 200:
        assert response.status_code == 400
        assert set(said(response)["fields"]) == {"cursor"}
    else:
        assert len(response.json()["results"]) <= 100


def test_times_of_a_page_do_not_depend_on_the_zone(reader, nps, customer):
    with timezone.override("Asia/Kathmandu"):
        task = unhappy(nps, customer, timezone.now())
        row = reader.get("/api/v1/tasks/").json()["results"][0]
    assert row["due_at"] == task.due_at.isoformat().replace("+00:00", "Z")
