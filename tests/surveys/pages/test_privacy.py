"""The page where customers see, take and delete what they have said."""

import json
import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from surveys.delivery.visits import writer
from surveys.loop import answer, ask
from surveys.models import Customer, Erasure, Invitation, Response, Visit, client_hash
from surveys.pages import clients, nonces
from tests.conftest import correct, survey_of
from tests.planted import COMMENT, EMAIL, NAME, PHONE, asked, planted_customer
from tests.surveys.pages.pressing import press, seen

pytestmark = pytest.mark.django_db(transaction=True)
HEADERS = ["Cache-Control", "Referrer-Policy", "X-Robots-Tag", "Content-Security-Policy"]


@pytest.fixture
def invitation(account, nps):
    return asked(planted_customer(account), nps, timezone.now())


@pytest.fixture
def url(invitation):
    return f"/p/{invitation.token('privacy')}"


@pytest.fixture
def given(invitation):
    return answer.give(invitation, 2, COMMENT, timezone.now())[0]


def delete(client, url, form: str = nonces.FORM, **said):
    return press(client, f"{url}/delete", form=form, **said)


def test_it_says_who_asks_why_and_how_long_it_is_kept(client, url, settings):
    settings.KEEP_ANSWER_MONTHS, settings.KEEP_MAIL_DAYS, settings.KEEP_ADDRESS_DAYS = 7, 8, 9
    page = client.get(url)
    assert "Northwind Parcels asks its customers for their opinion" in page.text
    assert "surveys@northwind.example" in page.text
    for said in ("name: 7 months.", "by e-mail: 8 days.", "our pages: 9 days."):
        assert said in page.text
    assert "You have not answered yet." in page.text


def test_it_shows_every_answer_of_the_customer_and_of_nobody_else(
    client, url, given, nps, customer
):
    later = survey_of("csat", name="Support")
    more = ask.invite(later, [given.customer], "test:2", timezone.now() + timedelta(days=60))[0]
    answer.give(more, 5, "Quick help", timezone.now() + timedelta(days=60))
    other = ask.invite(nps, [customer], "test:3", timezone.now())[0]
    answer.give(other, 9, "Not for their eyes", timezone.now())
    page = client.get(url).text
    assert [said in page for said in (COMMENT, "Quick help", "Support", "Relationship")] == [
        True, True, True, True,
    ]  # fmt: skip
    assert "Not for their eyes" not in page


def test_whoever_holds_the_link_learns_no_name_and_no_address(client, url, given):
    for page in (client.get(url), client.get(f"{url}/delete"), client.get(f"{url}/answers.json")):
        assert [word in page.text for word in (NAME, EMAIL, PHONE, "CRM-0815")] == [False] * 4


def test_what_a_customer_wrote_is_shown_as_text(client, url, given):
    Response.objects.update(comment="<script>alert(1)</script>")
    page = client.get(url).text
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_the_file_holds_every_version(client, url, given):
    correct(given, 3, "Now dented once", timezone.now())
    page = client.get(f"{url}/answers.json")
    assert page["Content-Disposition"] == 'attachment; filename="my-answers.json"'
    [one] = json.loads(page.content)["answers"]
    assert (one["survey"], one["score"], one["scale"]) == ("Relationship", 3, [0, 10])
    said = [(version["score"], version["comment"]) for version in one["versions"]]
    assert said == [(2, COMMENT), (3, "Now dented once")]


def test_the_file_holds_each_wish_and_each_choice_of_reasons(client, url, given):
    now = timezone.now()
    answer.add(given, answer.More(COMMENT, ["price", "speed"], "phone", "After four"), now)
    answer.add(given, answer.More(COMMENT, ["speed"], "email"), now)
    [one] = json.loads(client.get(f"{url}/answers.json").content)["answers"]
    names = ("reasons", "contact_channel", "contact_time")
    assert [tuple(version[name] for name in names) for version in one["versions"]] == [
        ([], "", ""),
        (["price", "speed"], "phone", "After four"),
        (["speed"], "email", ""),
    ]


def test_looking_deletes_nothing(client, url, given):
    for path in (url, f"{url}/delete", f"{url}/answers.json"):
        assert (client.get(path).status_code, client.head(path).status_code) == (200, 200)
    assert not Erasure.objects.exists()
    assert Customer.objects.get().name == NAME


def test_a_post_without_having_seen_the_question_only_asks(client, url, given):
    old = seen(url, seconds=25 * 3600)
    for text in ("", "made-up", nonces.issue("a" * 26), old):
        page = client.post(f"{url}/delete", {"nonce": text})
        assert "Delete your data?" in page.text
    assert not Erasure.objects.exists()


def test_the_confirmed_form_deletes(client, url, given):
    page = delete(client, url)
    assert "Your data are deleted" in page.text
    erasure = Erasure.objects.get()
    assert (erasure.cause, erasure.by, erasure.customer) == ("customer", None, given.customer)
    assert Response.objects.get().comment == ""


@pytest.mark.parametrize(
    "caught",
    [{"seconds": 0.5}, {"form": nonces.DECOY}, {"homepage": "https://spam.example"}],
)
def test_whoever_is_caught_in_a_trap_is_asked_to_press_once_more(client, url, given, caught):
    page = delete(client, url, **caught)
    assert "Please press once more" in page.text
    assert not Erasure.objects.exists()
    assert "Please press once more" in delete(client, url, nonces.AGAIN, seconds=1).text
    assert "Your data are deleted" in delete(client, url, nonces.AGAIN, seconds=3).text
    assert Erasure.objects.count() == 1


@pytest.mark.parametrize(
    ("what", "minutes", "address", "is_caught"),
    [
        ("hidden_link", 1, "127.0.0.2", True),
        ("caught", 1, "127.0.0.2", True),
        ("hidden_link", 3, "127.0.0.2", False),
        ("hidden_link", 23 * 60, "127.0.0.1", True),
        ("hidden_link", 25 * 60, "127.0.0.1", False),
        ("opened", 1, "127.0.0.1", False),
        ("pressed", 1, "127.0.0.1", False),
    ],
)
def test_a_machine_in_the_traps_of_the_other_links_deletes_nothing(
    client, url, given, what, minutes, address, is_caught
):
    """However long it waits here; whoever was not in them, the control, is taken at their word."""
    then = timezone.now() - timedelta(minutes=minutes)
    who = client_hash(address)
    Visit.objects.create(invitation=given.invitation, what=what, at=then, client=who)
    page = delete(client, url, seconds=3_600)
    assert ("Please press once more" in page.text, Erasure.objects.exists()) == (
        is_caught,
        not is_caught,
    )
    assert "Your data are deleted" in delete(client, url, nonces.AGAIN).text
    assert Erasure.objects.count() == 1


def test_whoever_is_caught_here_is_known_to_the_other_pages(client, url, given, monkeypatch):
    seen_here = []
    monkeypatch.setattr(writer, "note", seen_here.append)
    delete(client, url, seconds=0.5)
    delete(client, url, nonces.AGAIN)
    assert [(one.invitation_id, one.what) for one in seen_here] == [
        (given.invitation_id, "caught"),
    ]  # a press that deletes leaves nothing, not even that it was made


def test_a_machine_that_sends_every_form_of_the_page_deletes_nothing(client, url, given):
    for text in re.findall(r'name="nonce" value="([^"]+)"', client.get(f"{url}/delete").text):
        client.post(f"{url}/delete", {"nonce": text})
    assert not Erasure.objects.exists()


def test_who_tries_many_links_is_asked_to_wait(client, url, given):
    clients.guesses.forget()
    tried = [client.get(f"/p/{number:026d}").status_code for number in range(61)]
    assert (tried[:60], tried[60]) == ([404] * 60, 429)
    assert client.get(url).status_code == 200
    clients.guesses.forget()


def test_pressing_twice_shows_the_same_page(client, url, given):
    pages = [delete(client, url) for _ in range(2)]
    assert [page.status_code for page in pages] == [200, 200]
    assert all("Your data are deleted" in page.text for page in pages)
    assert Erasure.objects.count() == 1


def test_once_deleted_every_link_leads_to_the_same_page_as_an_unknown_one(client, url, given):
    token = given.invitation.token("answer")
    delete(client, url)
    unknown = client.get(f"/p/{'a' * 26}")
    for path in (url, f"{url}/delete", f"{url}/answers.json", f"/a/{token}"):
        page = client.get(path)
        assert (page.status_code, page.content) == (404, unknown.content)


@pytest.mark.parametrize("purpose", ["answer", "unsubscribe"])
@pytest.mark.parametrize("path", ["", "/delete", "/answers.json"])
def test_a_link_for_another_purpose_opens_nothing(client, invitation, purpose, path):
    page = client.get(f"/p/{invitation.token(purpose)}{path}")
    assert (page.status_code, page.content) == (404, client.get(f"/p/{'a' * 26}").content)
    posted = client.post(f"/p/{invitation.token(purpose)}/delete", {"nonce": "x"})
    assert posted.status_code == 404


def test_the_link_does_not_expire(client, url, given):
    past = timezone.now() - timedelta(days=500)
    Invitation.objects.update(expires_at=past, created_at=past)
    assert client.get(url).status_code == 200


def test_the_case_of_the_link_does_not_matter(client, url):
    assert client.get(f"/p/{url[3:].upper()}").status_code == 200


def test_it_speaks_the_invitations_language(client, url):
    Invitation.objects.update(language="de")
    page = client.get(url, headers={"Accept-Language": "fr"})
    assert [said in page.text for said in ('lang="de"', "Ihre Daten", "24 Monate.")] == [True] * 3


def test_no_cookies_and_the_headers_of_every_customers_page(client, url, given):
    pages = [client.get(path) for path in (url, f"{url}/delete", f"{url}/answers.json")]
    pages.append(delete(client, url))
    expected = {name: client.get(f"/a/{'a' * 26}")[name] for name in HEADERS}
    for page in pages:
        assert ({name: page[name] for name in HEADERS}, page.cookies) == (expected, {})


def test_csrf_protection_of_cookies_is_not_needed(url, given):
    strict = Client(enforce_csrf_checks=True)
    assert delete(strict, url).status_code == 200
    assert Erasure.objects.count() == 1


def test_the_number_of_queries_does_not_grow_with_the_answers(
    client, url, given, django_assert_num_queries
):
    with django_assert_num_queries(4):
        client.get(url)
    for day in (30, 60):
        more = ask.invite(given.survey, [given.customer], f"t:{day}",
                          timezone.now() + timedelta(days=day))[0]  # fmt: skip
        answer.give(more, 5, "Again", timezone.now() + timedelta(days=day))
    with django_assert_num_queries(4):
        client.get(url)
