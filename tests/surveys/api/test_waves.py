"""Reading waves, and how each is going."""

import pytest

from surveys.loop import ask
from surveys.models import Customer, Wave
from tests.surveys.api.conftest import caller_for

pytestmark = pytest.mark.django_db

WAVES = "/api/v1/waves/"


@pytest.fixture
def wave(nps, customer):
    Customer.objects.create(name="No address")
    return Wave.objects.create(survey=nps, name="Spring")


def test_a_draft_is_listed_and_has_no_progress(reader, nps, wave):
    [row] = reader.get(WAVES).json()["results"]
    assert row == {
        "id": wave.pk, "name": "Spring", "survey": {"id": nps.pk, "name": "Relationship"},
        "product": "", "channel": "mail", "state": "draft", "spread_days": 1, "launched_at": None,
    }  # fmt: skip
    assert reader.get(f"{WAVES}{wave.pk}/").json() == {**row, "progress": None}


def test_a_launched_wave_counts_who_is_not_asked_and_why(reader, wave, manager, now):
    ask.launch(wave, manager, now)
    ask.plan(now)
    assert reader.get(f"{WAVES}{wave.pk}/").json()["progress"] == {
        "audience": 2, "decided": 2, "decisions": {"ask": 1, "no_address": 1},
        "throttled_by": {}, "not_asked": "1 not asked: no address 1", "mails": {"queued": 1},
        "bounced": 0, "failed": 0, "reminded": 0, "answered": 0, "links_given": 0,
    }  # fmt: skip


def test_waves_are_found_by_their_state(reader, wave):
    assert reader.get(WAVES, {"state": "paused"}).json()["results"] == []
    assert len(reader.get(WAVES, {"state": "draft"}).json()["results"]) == 1


def test_waves_are_not_for_account_managers(alice, wave):
    assert caller_for(alice).get(WAVES).status_code == 403


@pytest.mark.parametrize("rows", [1, 3])
def test_a_list_takes_as_many_queries_for_many(reader, nps, rows, django_assert_max_num_queries):
    for n in range(rows):
        Wave.objects.create(survey=nps, name=str(n))
    with django_assert_max_num_queries(5):
        assert len(reader.get(WAVES).json()["results"]) == rows


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"product": "Delivery"}, ["Spring"]),
        ({"product": "Support"}, ["Summer"]),
        ({"product": "Nothing"}, []),
    ],
    ids=str,
)
def test_waves_are_found_by_what_they_ask_about(reader, nps, wave, filters, found):
    Wave.objects.create(survey=nps, name="Summer", product="Support")
    assert [row["name"] for row in reader.get(WAVES, filters).json()["results"]] == found
    both = reader.get(WAVES, {"survey": nps.pk}).json()["results"]
    assert [row["name"] for row in both] == ["Summer", "Spring"]
