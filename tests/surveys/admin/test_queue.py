from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from analysis.models import Mention, Theme
from surveys.admin.queue import counts
from surveys.loop import close, confirm, reach_out, snooze
from surveys.models import Absence, Account, Confirmation, Message, OutreachTask, Survey, Tier
from tests.surveys.admin.conftest import names, queue


def tabs(page) -> dict[str, int]:
    return {row["tab"].name: row["count"] for row in page.context["queue_tabs"]}


def test_the_most_urgent_comes_first_and_the_reached_last(signed_in, opened, alice, now):
    opened(10, "Late Lee")
    opened(80, "Over Olu")
    reached = opened(90, "Done Dee")
    reach_out.log_contact(reached, alice, "phone", "spoke", "", now)
    assert names(queue(signed_in(alice))) == ["Over Olu", "Late Lee", "Done Dee"]


def test_a_row_says_who_how_long_how_bad_and_why(signed_in, opened, alice, account, now):
    account.revenue, account.renews_on = 1_250_000, date(2027, 8, 31)
    account.save()
    task = opened(75, "Ines Okafor", comment="<b>Broken</b> glass in every single box")
    OutreachTask.objects.update(level=Tier.HEAD)
    theme = Theme.objects.create(survey=task.response.survey, label="Late parcels", born_at=now)
    Mention.objects.create(response=task.response, theme=theme, confidence=1, is_main=True)
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
        "renews 08/31/2027",
        "Head",
        "Late parcels",
    ):
        assert words in said


def test_an_account_manager_starts_with_their_own_open_tasks(signed_in, opened, alice):
    opened(10)
    page = queue(signed_in(alice))
    assert page.context["queue_tab"].name == "mine"
    assert list(tabs(page)) == [
        "mine", "today", "overdue", "open", "confirming", "closed", "all",
    ]  # fmt: skip


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


def test_high_value_comes_first_within_a_day(signed_in, opened, alice, now):
    rich = Account.objects.create(name="Rich", owner=alice, revenue=900_000)
    midnight = (now + timedelta(days=2)).replace(hour=0, minute=0, second=0, microsecond=0)
    at_its_end = 72 - (midnight - now).total_seconds() / 3600  # hours since the answer
    opened(at_its_end + 18, "Poor Pia")
    opened(at_its_end + 2, "Rich Rui", to=rich)
    opened(at_its_end + 10, "Mild Mo")
    assert names(queue(signed_in(alice))) == ["Rich Rui", "Poor Pia", "Mild Mo"]


def test_a_denied_task_stands_under_its_second_deadline(signed_in, opened, alice, root_cause, now):
    """In the bar, the tabs and the order, until the customer is reached again."""
    task = opened(60, "Dora Diaz")
    reach_out.log_contact(task, alice, "phone", "spoke", "", now - timedelta(hours=50))
    close.close(task, alice, root_cause, "improved", "Talked.", now - timedelta(hours=50))
    confirm.ask(now - timedelta(hours=25))
    client = signed_in(alice)
    assert tabs(queue(client))["confirming"] == 1
    confirm.answer(Confirmation.objects.get(), "no", "", "", now - timedelta(hours=25))
    opened(70, "Soon Sam")
    page = queue(client)
    assert names(page) == ["Dora Diaz", "Soon Sam"]
    assert (tabs(page)["overdue"], tabs(page)["confirming"]) == (1, 0)
    assert "overdue 1 h" in page.content.decode()
    assert "The customer denied a contact" in page.content.decode()
    reach_out.log_contact(task, alice, "phone", "spoke", "", now)
    assert tabs(queue(client))["overdue"] == 0
    assert names(queue(client)) == ["Soon Sam", "Dora Diaz"]


def test_a_snoozed_task_leaves_mine_but_never_overdue(signed_in, opened, alice, now):
    task = opened(73, "Late Lee")
    snooze.snooze(task, alice, now + timedelta(hours=5), "Away until then.", now)
    client = signed_in(alice)
    page = queue(client)
    assert names(page) == []
    assert "1 of yours is snoozed" in page.content.decode()
    assert names(queue(client, queue="overdue")) == ["Late Lee"]
    assert "Snoozed until" in queue(client, queue="overdue").content.decode()
    for choice, found in (("asleep", ["Late Lee"]), ("awake", []), ("nonsense", [])):
        assert names(queue(client, queue="open", sleep=choice)) == found
    OutreachTask.objects.update(snoozed_until=now - timedelta(seconds=1))
    assert names(queue(client)) == ["Late Lee"]


def test_waiting_for_confirmation_lasts_until_the_customers_word(
    signed_in, opened, alice, root_cause, now
):
    client = signed_in(alice)

    def waits(hours: float) -> bool:
        OutreachTask.objects.update(closed_at=now - timedelta(hours=hours))
        return tabs(queue(client))["confirming"] == 1

    close.close(opened(90), alice, root_cause, "lost", "Left us.", now)
    assert [waits(1), waits(24 * 9)] == [True, False]  # to be asked; nobody has asked in time
    assert waits(25)
    confirm.ask(now)
    assert waits(25)
    Message.objects.filter(kind="confirmation").update(state=Message.State.CANCELLED)
    assert not waits(25)  # has unsubscribed: they hear nothing, and will say nothing
    Message.objects.filter(kind="confirmation").update(state=Message.State.QUEUED)
    assert waits(25)
    Confirmation.objects.update(asked_at=now - timedelta(days=30))
    assert not waits(25)  # the link has expired
    Confirmation.objects.update(asked_at=now)
    confirm.answer(Confirmation.objects.get(), "yes", "yes", "", now)
    assert not waits(25)


def test_an_empty_tab_leads_to_where_there_is_something(signed_in, opened, alice):
    opened(10)
    said = queue(signed_in(alice), queue="overdue").content.decode()
    assert "Nothing is overdue." in said
    assert "Look at “Due today”" not in said  # there is nothing, either
    said = queue(signed_in(alice), queue="closed").content.decode()
    assert "Look at “All open” (1)" in said


def test_what_matches_nothing_says_how_to_go_on(signed_in, opened, alice):
    opened(10)
    said = queue(signed_in(alice), q="nowhere").content.decode()
    assert "No task of “My open tasks” matches." in said
    assert "?queue=all&amp;q=nowhere" in said


def test_the_last_page_of_a_long_queue_goes_on_where_the_one_before_ended(
    signed_in, opened, alice, monkeypatch
):
    monkeypatch.setattr("surveys.admin.tasks.OutreachTaskAdmin.list_per_page", 2)
    for hours, name in ((90, "Over Olu"), (70, "Soon Sam"), (10, "Late Lee"), (1, "Next Nia")):
        opened(hours, name)
    client = signed_in(alice)
    assert names(queue(client)) + names(queue(client, p=2)) == names(queue(client, all=""))
    assert names(queue(client, p=2)) == ["Late Lee", "Next Nia"]


def test_a_column_sorts_instead(signed_in, opened, alice):
    opened(10, "Ada", score=5)
    opened(20, "Bea", score=1)
    client = signed_in(alice)
    assert names(queue(client, o=2)) == ["Bea", "Ada"]  # the third column: the score
    assert names(queue(client, o="-2")) == ["Ada", "Bea"]


def test_a_cover_works_the_absent_ones_tasks(signed_in, opened, alice, bob, now):
    opened(10)
    client = signed_in(bob)
    assert names(queue(client, queue="all")) == []
    Absence.objects.create(user=alice, cover=bob, first_day=now.date(), last_day=now.date())
    assert names(queue(client, queue="all")) == ["Ines Okafor"]
    page = queue(client)
    assert (names(page), tabs(page)["covering"]) == ([], 1)
    assert names(queue(client, queue="covering")) == ["Ines Okafor"]


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


def test_the_history_of_a_task_opens(signed_in, task, alice):
    page = signed_in(alice).get(f"/admin/surveys/outreachtask/{task.pk}/history/")
    assert page.status_code == 200
    assert "opened the outreach task" in page.content.decode()


def test_who_sees_no_task_has_none_under_each_tab(product, now):
    assert set(counts(product, now).values()) == {0}


def test_today_shows_whom_to_call_next_in_the_order_of_the_queue(signed_in, opened, alice, now):
    rich = Account.objects.create(name="Rich", owner=alice, revenue=900_000)
    day_after = now + timedelta(days=2)
    midnight = day_after.replace(hour=0, minute=0, second=0, microsecond=0)
    at_its_end = 72 - (midnight - now).total_seconds() / 3600  # hours since the answer
    opened(at_its_end + 18, "Poor Pia")
    opened(at_its_end + 2, "Rich Rui", to=rich)
    reach_out.log_contact(opened(90, "Done Dee"), alice, "phone", "spoke", "", now)
    page = signed_in(alice).get("/admin/")
    called = [task.customer.name for task, *_ in page.context["urgent"]]
    assert called == ["Rich Rui", "Poor Pia"]


@pytest.mark.parametrize("asked", ["level=abc", "level=%00", "cause=%00", "response_product=%00"])
def test_a_filter_that_was_never_offered_finds_nobody(signed_in, opened, alice, asked):
    opened(10)
    page = signed_in(alice).get(f"/admin/surveys/outreachtask/?{asked}")
    assert (page.status_code, names(page)) == (200, [])
