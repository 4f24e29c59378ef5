"""With twenty thousand open tasks a page of the queue reads few of them."""

import json
from collections.abc import Iterator

from django.db import connection
from django.test.utils import CaptureQueriesContext

from surveys.models import OutreachTask
from tests.surveys.admin.conftest import queue
from tests.surveys.admin.many import fill

MANY = 20_000
PAGE = 50


def nodes(plan: dict) -> Iterator[dict]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def page_and_plan(client, **query) -> tuple[object, list[dict]]:
    """The page, and the nodes of the plan by which its rows were read, as it really ran."""
    with CaptureQueriesContext(connection) as asked:
        page = queue(client, **query)
    [rows] = [each["sql"] for each in asked if is_of_rows(each["sql"])]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL max_parallel_workers_per_gather = 0")  # its rows are not added up
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {rows}")
        said = cursor.fetchone()[0]
    [plan] = json.loads(said) if isinstance(said, str) else said
    return page, list(nodes(plan["Plan"]))


def is_of_rows(sql: str) -> bool:
    return sql.startswith('SELECT "surveys_outreachtask"."id"') and "LIMIT 50" in sql


def tasks_read(plan: list[dict]) -> int:
    scans = [node for node in plan if node.get("Relation Name") == "surveys_outreachtask"]
    return sum(
        node["Actual Loops"] * (node["Actual Rows"] + node.get("Rows Removed by Filter", 0))
        for node in scans
    )


def sorted_rows(plan: list[dict]) -> int:
    sorts = [node for node in plan if node["Node Type"] == "Sort"]
    return max((node["Plans"][0]["Actual Rows"] for node in sorts), default=0)


def index_of(plan: list[dict]) -> set[str]:
    return {node["Index Name"] for node in plan if "Index Name" in node}


def test_a_page_reads_few_tasks_and_by_an_index(signed_in, nps, alice, manager, now):
    """One filling for all of them, as it takes seconds."""
    fill(nps, [alice], MANY, now)
    client = signed_in(manager)
    for tab in ("open", "overdue"):
        page, plan = page_and_plan(client, queue=tab)
        assert page.context["cl"].result_count > MANY / 3
        assert "tasks_in_call_order" in index_of(plan)
        assert (tasks_read(plan), sorted_rows(plan)) == (PAGE, 0)
    _, plan = page_and_plan(client, queue="closed")
    assert "tasks_over" in index_of(plan)
    assert (tasks_read(plan), sorted_rows(plan)) == (PAGE, 0)
    a_later_day_sorts_that_day_only(client, now)
    my_own_page_reads_no_more_than_mine(signed_in(alice), alice)
    for user in (alice, manager):
        each_tab_counts_as_a_plain_count_does(signed_in(user), user)
    without_the_index_it_would_be_seen(client)


def a_later_day_sorts_that_day_only(client, now):
    """Half of the tasks are due within three days: a day has a sixth of them at the most."""
    number = OutreachTask.objects.overdue(now).count() // PAGE + 60
    page, plan = page_and_plan(client, queue="open", p=number)
    assert page.context["cl"].page_num == number
    assert "tasks_in_call_order" in index_of(plan)
    assert 0 < sorted_rows(plan) <= tasks_read(plan) <= MANY / 5


def my_own_page_reads_no_more_than_mine(client, alice):
    page, plan = page_and_plan(client)
    mine = OutreachTask.objects.open().filter(owner=alice).count()
    assert page.context["cl"].result_count == mine > PAGE
    assert tasks_read(plan) <= MANY / 5


def each_tab_counts_as_a_plain_count_does(client, user):
    page = queue(client)
    counted = {row["tab"].name: row["count"] for row in page.context["queue_tabs"]}
    tasks = OutreachTask.objects.visible_to(user)
    assert counted["overdue"] == tasks.overdue(page.wsgi_request.asked_at).count()
    assert counted["open"] == tasks.open().count()
    assert counted["closed"] == tasks.exclude(state="open").count()
    assert counted["all"] == counted["open"] + counted["closed"]


def without_the_index_it_would_be_seen(client):
    """The control: all the tasks are read and sorted then."""
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX tasks_in_call_order")
    _, plan = page_and_plan(client, queue="open")
    assert tasks_read(plan) > MANY / 2
    assert sorted_rows(plan) > MANY / 3
