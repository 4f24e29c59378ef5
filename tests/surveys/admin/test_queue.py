from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from surveys.loop import close, reach_out
from surveys.models import Absence, OutreachTask, Survey
from tests.surveys.admin.conftest import names, queue


def tabs(page) -> dict[str, int]:
    return {row["tab"].name: row["count"] for row in page.context["queue_tabs"]}


def test_the_most_urgent_comes_first_and_the_reached_last(signed_in, opened, alice, now):
    opened(10, "Late Lee")
    opened(80, "Over Olu")
    reached = opened(90, "Done Dee")
    reach_out.log_contact(reached, alice, "phone", "spoke", "", now)
    assert names(queue(signed_in(alice))) == ["Over Olu", "Late Lee", "Done Dee"]


def test_a_row_says_who_how_long_how_bad_and_why(signed_in, opened, alice, account):
    account.revenue = 1_250_000
    account.save()
    opened(75, "Ines Okafor", comment="<b>Broken</b> glass in every single box")
    said = queue(signed_in(alice)).content.decode()
    for words in (
        "Ines Okafor",
        "Lakeside Mills",
        "overdue 3 h",
        "<b>2</b> of 10",
        "Detractor",
        "&lt;b&gt;Broken&lt;/b&gt; glass in every",
        "Delivery",
        "Enterprise",
        "EUR 1,250,000",
        "Not yet",
    ):
        assert words in said


def test_an_account_manager_starts_with_their_own_open_tasks(signed_in, opened, alice):
    opened(10)
    page = queue(signed_in(alice))
    assert page.context["queue_tab"].name == "mine"
    assert list(tabs(page)) == ["mine", "today", "overdue", "open", "closed", "all"]


def test_a_lead_starts_with_the_teams(signed_in, opened, lead):
    opened(10)
    page = queue(signed_in(lead))
    assert (page.context["queue_tab"].name, names(page)) == ("team", ["Ines Okafor"])


def test_each_tab_counts_what_it_shows(signed_in, opened, manager, alice, root_cause, now):
    opened(10, "Late Lee")
    opened(80, "Over Olu")
    nobodys = opened(20, "Free Fay")
    reach_out.assign(nobodys, None, manager, now)
    ended = opened(30, "Done Dee")
    close.close(ended, alice, root_cause, "lost", "Said sorry.", now)
    client = signed_in(manager)
    shown = tabs(queue(client))
    assert {name: len(names(queue(client, queue=name))) for name in shown} == shown
    assert {name: shown[name] for name in ("unassigned", "overdue", "open", "closed", "all")} == {
        "unassigned": 1, "overdue": 1, "open": 3, "closed": 1, "all": 4,
    }  # fmt: skip


def test_due_today_ends_at_the_readers_midnight(signed_in, opened, alice, now):
    alice.time_zone = "Pacific/Kiritimati"  # UTC+14
    alice.save()
    midnight = now.astimezone(alice.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    left = midnight + timedelta(days=1) - now
    hours_ago = (timedelta(hours=72) - left).total_seconds() / 3600
    opened(hours_ago + 0.01, "Before Bo")
    opened(hours_ago - 0.01, "After Al")
    assert names(queue(signed_in(alice), queue="today")) == ["Before Bo"]


def test_a_cover_works_the_absent_ones_tasks(signed_in, opened, alice, bob, now):
    opened(10)
    client = signed_in(bob)
    assert names(queue(client, queue="all")) == []
    Absence.objects.create(user=alice, cover=bob, first_day=now.date(), last_day=now.date())
    assert names(queue(client, queue="all")) == ["Ines Okafor"]


def test_filters_narrow_the_chosen_tab(signed_in, opened, alice, nps):
    opened(10, "Late Lee")
    client = signed_in(alice)
    assert names(queue(client, response_product="Delivery")) == ["Late Lee"]
    assert names(queue(client, response_segment="Enterprise")) == ["Late Lee"]
    assert names(queue(client, response_survey=nps.pk)) == ["Late Lee"]
    assert names(queue(client, owner=alice.pk)) == ["Late Lee"]
    assert names(queue(client, response_product="Something else")) == []
    assert names(queue(client, owner="-")) == []


@pytest.mark.parametrize("words", ["lee", "lakeside", "never came"])
def test_search_finds_customer_account_and_comment(signed_in, opened, alice, words):
    opened(10, "Late Lee")
    assert names(queue(signed_in(alice), q=words)) == ["Late Lee"]


def test_a_search_of_ten_thousand_words_is_cut_short(
    signed_in, opened, alice, django_assert_max_num_queries
):
    opened(10, "Late Lee")
    client = signed_in(alice)
    with django_assert_max_num_queries(25) as asked:
        page = queue(client, q="lee " * 10_000)
    assert names(page) == ["Late Lee"]
    assert max(query["sql"].lower().count("like") for query in asked.captured_queries) == 32


def test_an_empty_queue_says_so(signed_in, alice):
    assert "Nothing waits for you" in queue(signed_in(alice)).content.decode()


def test_three_tasks_cost_as_many_queries_as_one(signed_in, opened, alice):
    client = signed_in(alice)
    counts = []
    for hours, name in ((10, "One Ono"), (20, "Two Tao"), (30, "Six Sia")):
        opened(hours, name)
        with CaptureQueriesContext(connection) as asked:
            page = queue(client)
        counts.append((len(names(page)), len(asked)))
    assert counts == [(1, counts[0][1]), (2, counts[0][1]), (3, counts[0][1])]
    assert counts[0][1] <= 14


def test_nobody_deletes_or_adds_a_task(signed_in, task, administrator):
    client = signed_in(administrator)
    assert client.post(f"/admin/surveys/outreachtask/{task.pk}/delete/").status_code == 403
    assert client.get("/admin/surveys/outreachtask/add/").status_code == 403
    client.post(
        "/admin/surveys/outreachtask/",
        {"action": "delete_selected", "_selected_action": task.pk, "post": "yes"},
    )
    assert OutreachTask.objects.count() == Survey.objects.count() == 1
