import re

import pytest

from analysis.fold import fold_all
from surveys.models import Customer, OutreachTask
from tests.analysis.rows import at, detractor

ADDRESS = "/admin/closure/tasks/"
DAY = at("2026-03-05 09:00")
MARCH = {"month": "2026-03"}


@pytest.fixture
def reader(client, manager):
    client.force_login(manager)
    return client


def named(survey, name, account=None, contacted=None, **fields) -> OutreachTask:
    customer = Customer.objects.create(name=name, account=account)
    return detractor(survey, DAY, contacted, customer, **fields)


def test_each_count_of_the_report_leads_to_its_tasks(reader, nps):
    named(nps, "Early", contacted=5, segment="Retail")
    named(nps, "Tardy", contacted=80, segment="Retail")
    named(nps, "Nobody", segment="Public")
    fold_all()
    text = reader.get("/admin/closure/", {**MARCH, "segment": "Retail"}).text
    links = [one.replace("&amp;", "&") for one in re.findall(rf'href="({ADDRESS}[^"]+)"', text)]
    assert len(links) == 2  # only what counts any
    in_time, late = (reader.get(link).text for link in links)
    assert ("Early" in in_time, "Tardy" in in_time) == (True, False)
    assert ("Early" in late, "Tardy" in late, "Nobody" in late) == (False, True, False)


def test_pages_hold_fifty(reader, nps, django_assert_max_num_queries):
    for number in range(51):
        named(nps, f"Customer {number:02}")
    with django_assert_max_num_queries(8):
        first = reader.get(ADDRESS, MARCH)
    second = reader.get(ADDRESS, {**MARCH, "page": "2"})
    rows = [response.text.count('<th scope="row">') for response in (first, second)]
    assert rows == [50, 1]
    assert "Page 2 of 2" in second.text
    assert reader.get(ADDRESS, {**MARCH, "page": "<9>"}).status_code == 200


def test_an_account_manager_sees_only_their_own(client, alice, nps, account):
    named(nps, "Mine", account)
    named(nps, "Somebody’s")
    client.force_login(alice)
    text = client.get(ADDRESS, MARCH).text
    assert ("Mine" in text, "Somebody’s" in text) == (True, False)


def test_the_product_team_sees_no_names(client, product, nps):
    named(nps, "Early")
    fold_all()
    client.force_login(product)
    assert client.get(ADDRESS, MARCH).status_code == 403
    assert ADDRESS not in client.get("/admin/closure/", MARCH).text


def test_names_are_texts(reader, nps):
    named(nps, "<script>alert(1)</script>")
    text = reader.get(ADDRESS, MARCH).text
    assert "<script>alert(1)" not in text
    assert "&lt;script&gt;alert(1)" in text
