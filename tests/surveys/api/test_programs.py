"""Reading programs, and asking one customer."""

from datetime import timedelta

import pytest

from surveys.loop import answer, suppress
from surveys.models import Invitation, Message, Suppression, Survey
from tests.surveys.api.conftest import caller_for, said

pytestmark = pytest.mark.django_db

INVITATIONS = "/api/v1/invitations/"


@pytest.fixture
def ask_body(nps, customer):
    return {
        "survey": {"name": "Relationship"},
        "customer": {"email": "ines@lakeside.example"},
        "occasion": "ticket:4711",
    }


def test_programs_are_listed(reader, nps):
    [row] = reader.get("/api/v1/surveys/").json()["results"]
    assert row["name"] == "Relationship"
    assert reader.get(f"/api/v1/surveys/{nps.pk}").json() == row
    assert reader.get("/api/v1/surveys/?is_open=false").json()["results"] == []


def test_one_customer_is_asked(writer, ask_body, customer, nps):
    response = writer.post(INVITATIONS, ask_body)
    assert response.status_code == 201, response.json()
    invitation = Invitation.objects.get()
    body = response.json()
    assert body["id"] == invitation.pk
    assert body["survey"] == {"id": nps.pk, "name": "Relationship"}
    assert body["customer"]["id"] == customer.pk
    assert (body["decision"], body["occasion"]) == ("ask", "ticket:4711")
    assert body["product"] == "Delivery"
    assert body["link"] == f"http://testserver/a/{invitation.token()}"
    assert Message.objects.get().invitation == invitation


def test_the_link_opens_the_answer_page(writer, ask_body, client):
    link = writer.post(INVITATIONS, ask_body).json()["link"]
    assert client.get(link.removeprefix("http://testserver")).status_code == 200


def test_asking_again_on_the_occasion_changes_nothing(writer, ask_body):
    first = writer.post(INVITATIONS, ask_body)
    again = writer.post(INVITATIONS, {**ask_body, "product": "Invoices"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert Invitation.objects.count() == Message.objects.count() == 1
    other = writer.post(INVITATIONS, {**ask_body, "occasion": "ticket:4712"})
    assert (other.status_code, Invitation.objects.count()) == (201, 2)


def test_only_keys_that_may_write_see_the_link(writer, reader, ask_body):
    pk = writer.post(INVITATIONS, ask_body).json()["id"]
    for path in (INVITATIONS, f"{INVITATIONS}{pk}/"):
        token = Invitation.objects.get().token()
        assert token in writer.get(path).content.decode()
        assert token not in reader.get(path).content.decode()


def test_who_has_opted_out_is_not_asked_and_gets_no_link(writer, ask_body, customer, now):
    suppress.suppress(customer.email, Suppression.Reason.UNSUBSCRIBED, now)
    response = writer.post(INVITATIONS, ask_body)
    assert (response.status_code, response.json()["decision"]) == (201, "suppressed")
    assert response.json()["link"] is None
    assert not Message.objects.exists()


def test_a_closed_program_asks_nobody(writer, ask_body, nps):
    Survey.objects.update(is_open=False)
    response = writer.post(INVITATIONS, ask_body)
    assert response.status_code == 409
    assert said(response)["message"] == "“Relationship” is closed: it asks nobody."


def test_a_program_without_words_asks_nobody(writer, ask_body, nps):
    nps.wordings.all().delete()
    response = writer.post(INVITATIONS, ask_body)
    assert response.status_code == 400
    assert "has no wording yet" in said(response)["fields"]["survey"][0]


def test_waves_are_not_taken_in_advance(writer, ask_body):
    response = writer.post(INVITATIONS, {**ask_body, "occasion": "wave:7"})
    assert set(said(response)["fields"]) == {"occasion"}
    assert not Invitation.objects.exists()


def test_account_managers_ask_nobody(alice, ask_body):
    assert caller_for(alice).post(INVITATIONS, ask_body).status_code == 403


def test_answers_are_filtered(writer, nps, customer, now):
    [row] = [given(writer, nps, customer, now)]

    def found(query):
        return [r["id"] for r in writer.get(f"/api/v1/responses/?{query}").json()["results"]]

    assert found("") == [row.pk]
    day = timedelta(days=1)
    for query, is_found in [
        (f"survey={nps.pk}", True),
        ("product=Delivery", True),
        ("product=Other", False),
        ("segment=Enterprise", True),
        ("segment=Small", False),
        ("band=promoter", True),
        ("band=detractor", False),
        ("answered_from=2026-03-10T09:00:00Z", True),
        ("answered_from=2026-03-10T10:00:00%2B01:00", True),
        ("answered_from=2026-03-10T09:00:01Z", False),
        ("answered_before=2026-03-10T09:00:00Z", False),
        (f"answered_before={(now + day):%Y-%m-%dT%H:%M:%SZ}", True),
    ]:
        assert found(query) == ([row.pk] if is_found else []), query


def test_an_answer_is_read_whole(writer, nps, customer, now, settings):
    settings.TIME_ZONE = "Asia/Tokyo"
    response = given(writer, nps, customer, now)
    assert writer.get(f"/api/v1/responses/{response.pk}/").json() == {
        "id": response.pk,
        "survey": {"id": nps.pk, "name": "Relationship"},
        "kind": "nps",
        "customer": {
            "id": customer.pk,
            "external_id": None,
            "email": "ines@lakeside.example",
            "name": "Ines Okafor",
        },
        "source": "invited",
        "score": 9,
        "band": "promoter",
        "comment": "<b>Good</b>",
        "language": "en",
        "product": "Delivery",
        "segment": "Enterprise",
        "reasons": [],
        "wants_contact": False,
        "contact_channel": "",
        "contact_time": "",
        "verdict": "person",
        "signs": [],
        "answered_at": "2026-03-10T09:00:00Z",
        "finished_at": "2026-03-10T09:00:00Z",
        "task": None,
    }


def given(writer, nps, customer, now):
    body = {"survey": {"id": nps.pk}, "customer": {"id": customer.pk}, "occasion": "ticket:1"}
    writer.post(INVITATIONS, body)
    return answer.give(Invitation.objects.get(), 9, "<b>Good</b>", now)[0]
