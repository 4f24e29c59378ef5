"""Links to hand over, and the list of open ones."""

from datetime import timedelta

import pytest
from django.utils import timezone

from surveys.loop import ask, suppress
from surveys.models import (
    Customer,
    Invitation,
    Message,
    OpenAnswer,
    OpenLink,
    Response,
    Suppression,
    Survey,
)
from tests.surveys.api.conftest import caller_for, said

pytestmark = pytest.mark.django_db

LINKS, OPEN_LINKS = "/api/v1/links/", "/api/v1/open-links/"


@pytest.fixture
def body(nps, customer):
    return {"survey": {"name": "Relationship"}, "customer": {"email": "ines@lakeside.example"}}


@pytest.mark.django_db(transaction=True)  # a page's READ ONLY needs a real transaction
def test_a_link_is_made_and_nobody_is_mailed(writer, body, client):
    answer = writer.post(LINKS, {**body, "occasion": "visit:7", "product": "Installation"})
    assert answer.status_code == 201, answer.json()
    row, invitation = answer.json(), Invitation.objects.get()
    assert (row["id"], row["channel"], row["decision"]) == (invitation.pk, "link", "ask")
    assert (row["occasion"], row["product"]) == ("visit:7", "Installation")
    assert row["link_given_at"] == row["created_at"]
    assert row["link"] == f"http://testserver/a/{invitation.token()}"
    assert client.get(row["link"].removeprefix("http://testserver")).status_code == 200
    assert not Message.objects.exists()


@pytest.mark.parametrize("occasion", [{}, {"occasion": ""}, {"occasion": "visit:7"}])
def test_the_same_link_however_often_it_is_asked_for(writer, body, occasion):
    first, again = (writer.post(LINKS, {**body, **occasion}) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert Invitation.objects.count() == 1


def test_the_link_of_a_mailed_invitation_is_handed_over(writer, reader, body, nps, customer):
    [mailed] = ask.invite(nps, [customer], "ticket:1", timezone.now())
    given = writer.post(LINKS, body)
    assert (given.status_code, given.json()["id"]) == (200, mailed.pk)
    assert (given.json()["channel"], given.json()["link_given_at"] is None) == ("mail", False)
    for channel, found in [("mail", [mailed.pk]), ("link", [])]:
        rows = reader.get(f"/api/v1/invitations/?channel={channel}").json()["results"]
        assert [row["id"] for row in rows] == found


def test_who_has_no_address_is_asked_by_a_link(writer, nps, account):
    Customer.objects.create(name="Paul Adeyemi", external_id="C-7", account=account)
    body = {"survey": {"id": nps.pk}, "customer": {"external_id": "C-7"}, "occasion": "visit:7"}
    left_out = writer.post("/api/v1/invitations/", body).json()
    assert (left_out["decision"], left_out["link"]) == ("no_address", None)
    given = writer.post(LINKS, body).json()
    assert (given["id"], given["decision"], given["channel"]) == (left_out["id"], "ask", "link")
    assert given["link"]


def test_who_was_asked_lately_gets_no_link_and_the_row_says_why(writer, body):
    writer.post(LINKS, {**body, "occasion": "visit:7"})
    refused = writer.post(LINKS, {**body, "occasion": "visit:8"})
    assert refused.status_code == 201
    row = refused.json()
    assert (row["decision"], row["throttled_by"]) == ("throttled", "floor")
    assert (row["link"], row["link_given_at"]) == (None, None)


def test_who_has_opted_out_gets_no_link(writer, body, customer, now):
    suppress.suppress(customer.email, Suppression.Reason.UNSUBSCRIBED, now)
    row = writer.post(LINKS, body).json()
    assert (row["decision"], row["link"]) == ("suppressed", None)


def test_only_those_who_may_plan_waves_get_links(reader, alice, manager, body):
    assert reader.post(LINKS, body).status_code == 403
    assert caller_for(alice).post(LINKS, body).status_code == 403
    assert reader.get(LINKS).status_code == 405
    assert not Invitation.objects.exists()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"customer": {"email": "nobody@lakeside.example"}}, "customer"),
        ({"survey": {"name": "Nothing"}}, "survey"),
        ({"occasion": "wave:7"}, "occasion"),
        ({"channel": "link"}, "channel"),
        ({"occasion": "x" * 161}, "occasion"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(writer, body, change, field):
    refused = writer.post(LINKS, {**body, **change})
    assert (refused.status_code, set(said(refused)["fields"])) == (400, {field})
    assert not Invitation.objects.exists()


def test_a_closed_survey_gives_no_links(writer, body):
    Survey.objects.update(is_open=False)
    refused = writer.post(LINKS, body)
    assert (refused.status_code, said(refused)["code"]) == (409, "conflict")


@pytest.fixture
def counter(nps):
    return OpenLink.objects.create(
        survey=nps, name="Counter", framed_by="https://shop.example\nhttps://www.shop.example"
    )


def came_in(link, now, verdict="person", **fields) -> Response:
    response = Response.objects.create(
        survey=link.survey, kind="nps", source=Response.Source.ANONYMOUS, score=9, band="promoter",
        answered_at=now, verdict=verdict, **fields,
    )  # fmt: skip
    OpenAnswer.objects.create(
        link=link, response=response, at=now, digest=response.pk.to_bytes(32, "big")
    )
    return response


def test_open_links_are_listed_with_what_came_in(reader, counter, nps, now):
    for verdict in ("person", "person", "machine"):
        came_in(counter, now, verdict)
    [row] = reader.get(OPEN_LINKS).json()["results"]
    assert row.pop("created_at").endswith("Z")
    assert row == {
        "id": counter.pk,
        "survey": {"id": nps.pk, "name": "Relationship"},
        "name": "Counter",
        "language": "",
        "is_open": True,
        "daily_limit": 500,
        "client_limit": 20,
        "framed_by": ["https://shop.example", "https://www.shop.example"],
        "link": f"http://testserver/o/{counter.token}",
        "answers": 2,
        "machine_answers": 1,
    }
    assert reader.get(f"{OPEN_LINKS}{counter.pk}/").json()["name"] == "Counter"
    assert reader.get(f"{OPEN_LINKS}?is_open=false").json()["results"] == []
    assert reader.get(f"{OPEN_LINKS}?survey={nps.pk}").json()["results"] != []


@pytest.mark.parametrize("rows", [1, 3])
def test_counting_takes_no_more_queries_for_many(reader, nps, now, rows, django_assert_num_queries):
    for number in range(rows):
        came_in(OpenLink.objects.create(survey=nps, name=f"Link {number}"), now)
    reader.get(OPEN_LINKS)  # the key's last use is noted once a minute
    with django_assert_num_queries(2):
        assert len(reader.get(OPEN_LINKS).json()["results"]) == rows


def test_account_managers_see_no_open_links(alice, counter):
    assert caller_for(alice).get(OPEN_LINKS).status_code == 403


def test_answers_are_filtered_by_their_source(reader, counter, nps, customer, now):
    anonymous = came_in(counter, now - timedelta(days=1))
    for source, found in [("anonymous", [anonymous.pk]), ("invited", []), ("imported", [])]:
        rows = reader.get(f"/api/v1/responses/?source={source}").json()["results"]
        assert [row["id"] for row in rows] == found
    assert reader.get("/api/v1/responses/?source=open").status_code == 400
