"""The list of invitations: what was decided, and who has not answered."""

import csv
import io
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from surveys.loop import answer, ask
from surveys.models import Customer, Message, Response

LIST = reverse("admin:surveys_invitation_changelist")
FILE = reverse("admin:surveys_invitation_silent")
DAY = timedelta(days=1)


@pytest.fixture
def asked(nps, account, now):
    """Asks somebody, whose mail was sent so many days ago."""

    def ask_one(name: str, days: int = 3, to=account, **fields):
        email = f"{name.lower()}@lakeside.example"
        one = Customer.objects.create(account=to, name=name, email=email, **fields)
        [invitation] = ask.invite(nps, [one], "wave:1", now - days * DAY)
        sent = {"state": "sent", "sent_at": now - days * DAY}
        Message.objects.filter(invitation=invitation).update(**sent)
        return invitation

    return ask_one


def listed(client, tab: str, **query) -> list[str]:
    page = client.get(LIST, {"tab": tab, **query})
    return [invitation.customer.name for invitation in page.context["cl"].result_list]


def rows(client, **query) -> list[dict]:
    text = client.get(FILE, query).getvalue().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_each_tab_shows_its_own(signed_in, asked, nps, alice, now):
    asked("Silent")
    answer.give(asked("Glad"), 9, "", now)
    answer.give(asked("Scanned"), 1, "", now)
    Response.objects.filter(customer__name="Scanned").update(verdict="machine")
    asked("Expired", 31)
    Message.objects.filter(invitation=asked("Doubtful")).update(state="in_doubt", sent_at=None)
    nobody = Customer.objects.create(account=alice.accounts.get(), name="Nobody")
    ask.invite(nps, [nobody], "wave:1", now)
    client = signed_in(alice)
    everybody = {"Silent", "Glad", "Scanned", "Expired", "Doubtful", "Nobody"}
    assert set(listed(client, "all")) == everybody
    assert set(listed(client, "silent")) == {"Silent", "Scanned"}
    assert listed(client, "answered") == ["Glad"]
    assert listed(client, "not_asked") == ["Nobody"]
    assert listed(client, "nonsense") == listed(client, "all")


def test_key_contacts_come_first_then_the_longest_silence(signed_in, asked, alice):
    asked("Short", 1)
    asked("Long", 20)
    asked("Key", 2, is_key_contact=True)
    client = signed_in(alice)
    assert listed(client, "silent") == ["Key", "Long", "Short"]
    said = client.get(LIST, {"tab": "silent"}).content.decode()
    assert "Key contact" in said
    assert "20 d ago" in said
    assert "Alice" in said


def test_a_tab_keeps_the_filters_and_a_filter_the_tab(signed_in, asked, alice):
    asked("Key", is_key_contact=True)
    asked("Other")
    client = signed_in(alice)
    query = {"customer__is_key_contact": "True"}
    assert listed(client, "silent", **query) == ["Key"]
    said = client.get(LIST, {"tab": "silent", **query}).content.decode()
    assert '<a href="?tab=all&amp;customer__is_key_contact=True">All</a>' in said
    assert '<input type="hidden" name="tab" value="silent">' in said
    assert f"{FILE}?customer__is_key_contact=True" in said


def test_the_file_holds_what_the_list_shows(signed_in, asked, nps, account, alice, now):
    asked("=HYPERLINK(1)", 20)
    asked("Key", 2, is_key_contact=True, phone="+49 30 1")
    client = signed_in(alice)
    response = client.get(FILE)
    assert response["Content-Disposition"] == 'attachment; filename="not-answered.csv"'
    key, other = rows(client)
    assert key == {
        "customer": "Key",
        "email": "key@lakeside.example",
        "phone": "'+49 30 1",
        "account": "Lakeside Mills",
        "owner": "Alice",
        "key_contact": "yes",
        "survey": "Relationship",
        "product": "Delivery",
        "sent": (now - 2 * DAY).isoformat(timespec="seconds"),
        "days_since": "2",
    }
    assert (other["customer"], other["days_since"]) == ("'=HYPERLINK(1)", "20")
    assert [row["customer"] for row in rows(client, customer__is_key_contact="True")] == ["Key"]


def test_nobody_reads_another_teams_silence(signed_in, asked, bob, bobs_account, alice, product):
    asked("Mine")
    asked("Theirs", to=bobs_account)
    assert listed(signed_in(alice), "silent") == ["Mine"]
    assert [row["customer"] for row in rows(signed_in(alice))] == ["Mine"]
    assert [row["customer"] for row in rows(signed_in(bob))] == ["Theirs"]
    assert signed_in(product).get(FILE).status_code == 403


def test_a_stranger_is_sent_to_the_log_in(client, db):
    assert client.get(FILE).status_code == 302


@pytest.mark.parametrize("tab", ["all", "silent", "answered"])
def test_three_rows_cost_as_many_queries_as_one(signed_in, asked, alice, tab, now):
    client, costs = signed_in(alice), []
    for number in (1, 2, 3):
        invitation = asked(f"Name{number}")
        if tab == "answered":
            answer.give(invitation, 9, "", now)
        with CaptureQueriesContext(connection) as queries:
            assert len(listed(client, tab)) == number
        costs.append(len(queries))
    assert len(set(costs)) == 1


def test_an_empty_tab_says_what_to_do_next(signed_in, alice, manager):
    said = signed_in(manager).get(LIST).content.decode()
    assert "Plan a wave, or add a trigger" in said
    said = signed_in(alice).get(LIST, {"tab": "silent"}).content.decode()
    assert "Everybody who can still answer has answered." in said
    assert FILE not in said
