import re
from datetime import timedelta
from html import unescape

import pytest
from django.urls import reverse
from django.utils import timezone

from analysis import phrases
from surveys.models import Absence, Account, Confirmation, Customer, OutreachTask, Role
from tests.analysis.rows import detractor
from tests.conftest import colleague

ADDRESS = "/admin/board/"
QUERIES = 15  # session, user, the sidebar's badge, and the board's twelve


@pytest.fixture
def reader(client, manager):
    client.force_login(manager)
    return client


def due(nps, owner, hours: float, contacted=None, **fields) -> OutreachTask:
    """With so many hours left of its 72, `contacted` so many hours after its start."""
    account, _ = Account.objects.get_or_create(name=f"Of {owner}", owner=owner)
    customer = Customer.objects.create(name="Ines Okafor", account=account)
    start = timezone.now() - timedelta(hours=72 - hours)
    task = detractor(nps, start, contacted, customer=customer)
    OutreachTask.objects.filter(pk=task.pk).update(owner=owner, **fields)
    return task


def page(client, **query) -> str:
    response = client.get(ADDRESS, query)
    assert response.status_code == 200
    return response.text.replace(phrases.NBSP, " ")


def figures(text: str) -> dict[tuple[str, str], tuple[int, str]]:
    """What each link of the tables counts, and where it leads, by row and column."""
    found = re.findall(r'<a href="([^"]+)" aria-label="(.+?), ([^,"]+): (\d+)">', text)
    return {(row, column): (int(n), unescape(at)) for at, row, column, n in found}


def shown_by(client, address: str) -> int:
    return client.get(address).context["cl"].result_count


def test_strangers_are_sent_to_the_log_in(db, client):
    assert client.get(ADDRESS).url.startswith(reverse("admin:login"))


@pytest.mark.parametrize(
    ("role", "status"),
    [
        ("alice", 200), ("lead", 200), ("manager", 200), ("administrator", 200), ("auditor", 200),
        ("product", 403),
    ],
)  # fmt: skip
def test_those_who_see_tasks_see_the_board(role, status, request, client):
    user = request.getfixturevalue(role)
    client.force_login(user)
    assert client.get(ADDRESS).status_code == status
    offered = f'href="{ADDRESS}"' in client.get(reverse("admin:index")).text
    assert offered == (status == 200)


def test_an_empty_house_says_what_to_do_next(reader):
    text = page(reader)
    for said in (
        "Nobody is waiting for a call.",
        "none due",
        "There are no account managers whose load you may see.",
        "Nobody is away in the next two weeks.",
        "No detractor’s task began in the last 30 days.",
    ):
        assert said in text
    assert "False closures:" not in text
    assert "<table" not in text


def test_each_figure_opens_the_tasks_that_it_counts(reader, nps, manager, lead, alice, bob):
    for owner, hours in ((alice, -1), (alice, -2), (alice, 1), (bob, 20), (bob, 50), (None, 2)):
        due(nps, owner, hours)
    due(nps, bob, 1, contacted=3)
    denied = timezone.now() - timedelta(hours=22)
    again = {"denied_at": denied, "second_due_at": denied + timedelta(hours=24)}
    due(nps, lead, -90, contacted=3, **again)
    found = figures(page(reader))
    assert found[("Alice", "Overdue")][0] == 2
    assert found[("Lead", "Under 4 h")][0] == 1
    assert found[("Unassigned", "Open")][0] == 1
    assert found[("No team", "Under 24 h")][0] == 1
    assert found[("North", "Open")][0] == 4
    assert len(found) > 20
    for n, address in found.values():
        assert shown_by(reader, address) == n


def test_nobody_else_is_counted_or_named(client, nps, lead, alice, bob):
    due(nps, alice, 1)
    due(nps, bob, -1)
    client.force_login(lead)
    text = page(client)
    assert "Alice" in text
    assert "Bob" not in text
    assert "South" not in text


def test_names_are_text(reader, nps, alice):
    alice.name = "<b>Alice</b>"
    alice.save()
    Absence.objects.create(
        user=alice, cover=colleague("x", Role.TEAM_LEAD), first_day=timezone.now(),
        last_day=timezone.now(),
    )  # fmt: skip
    due(nps, alice, 1)
    text = page(reader)
    assert "<b>Alice</b>" not in text
    assert text.count("&lt;b&gt;Alice&lt;/b&gt;") >= 3


def test_closure_shows_counts_always_and_a_percentage_from_ten_on(reader, nps, alice, now):
    due(nps, alice, -1, contacted=5)
    assert "(100 %" not in page(reader)
    # Of the 72 hours of these some may have begun in the month before.
    for _ in range(10):
        due(nps, alice, -0.1, contacted=5)
    assert re.search(r"1[01] of 1[01] \(100 %, \d\d–100 %\)", page(reader))


def test_who_is_away_is_said_with_the_cover(reader, nps, alice, bob):
    today = timezone.now().date()
    Absence.objects.create(user=alice, cover=bob, first_day=today, last_day=today)
    due(nps, alice, 30)
    text = page(reader)
    assert "<b>away now</b>" in text
    assert "with tasks of <bdi>Alice</bdi>" in text
    assert 'aria-label="1 open tasks of Alice"' in text


def test_the_capacity_can_be_changed_and_nonsense_is_said_to_be(reader, nps, alice):
    for _ in range(3):
        due(nps, alice, -1)
    assert "Room: 9 customers" in page(reader, tasks=9)
    nonsense = page(reader, tasks="many")
    assert "Room: 5 customers" in nonsense
    assert "Enter a whole number." in nonsense


def test_the_curve_has_its_figures_beside_it(reader, nps, alice):
    for contacted in [10] * 6 + [30] * 3:
        due(nps, alice, -20, contacted)
    few = page(reader)
    assert "From 10 detractors on" in few
    assert "<svg xmlns" not in few
    due(nps, alice, -20)
    text = page(reader)
    assert "10 detractors of the last 30 days, 9 of them reached within seven." in text
    assert re.search(r"Half \(the median\)</dt><dd><b>10 h</b>", text)
    row = re.search(r'<th scope="row">24 h</th>(.*?)</tr>', text)[1]
    assert re.findall(r">([^<]+)<", row) == ["6", "60 %", "33–88 %", "4"]
    assert "24 h: 60 % (33–88 %)" in re.search(r"<desc[^>]*>(.*?)</desc>", text)[1]


def test_false_closures_are_shown_with_their_n(reader, nps, alice):
    task = due(nps, alice, -20, contacted=5)
    for number, (got_back, helped) in enumerate([("no", ""), ("yes", "no"), ("yes", "yes")]):
        Confirmation.objects.create(
            task=task, number=number, claimed=True, asked_at=timezone.now(),
            answered_at=timezone.now(), got_back=got_back, helped=helped,
        )  # fmt: skip
    text = page(reader)
    assert "<b>False closures:</b> 1 of 3 (6–79 %)" in text
    assert "1 more say that it did not help" in text


def test_the_board_is_only_read(reader):
    assert reader.post(ADDRESS).status_code == 405


@pytest.mark.parametrize("rows", [1, 3])
def test_queries_do_not_grow(reader, nps, alice, rows, django_assert_num_queries):
    for n in range(rows):
        owner = colleague(f"colleague{n}", Role.ACCOUNT_MANAGER, alice.team)
        for hours in range(rows):
            due(nps, owner, hours)
            due(nps, owner, -hours, contacted=n)
    with django_assert_num_queries(QUERIES):
        page(reader)
