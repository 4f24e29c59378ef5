import re
from datetime import timedelta

import pytest
from django.core import signing
from django.db import InternalError
from django.utils import timezone

from surveys.loop import ask
from surveys.models import Customer, OutreachTask, Response, ResponseVersion
from surveys.pages import public

pytestmark = pytest.mark.django_db(transaction=True)  # a page's READ ONLY needs a real transaction


@pytest.fixture
def invitation(nps, customer):
    return ask.invite(nps, [customer], "test:1", timezone.now())[0]


@pytest.fixture
def url(invitation):
    return f"/a/{invitation.token()}"


def press(client, url, **said):
    """Open the page as a browser does, and press its button."""
    nonce = re.search(r'name="nonce" value="([^"]+)"', client.get(url).text)[1]
    return client.post(url, {"nonce": nonce, **said}, follow=True)


def test_the_score_of_the_clicked_link_is_preselected(client, url):
    page = client.get(url, {"score": "9"}).text
    assert re.findall(r'value="(\d+)" required( checked)?', page) == [
        (str(score), " checked" if score == 9 else "") for score in range(11)
    ]


def test_looking_writes_nothing(client, url, django_assert_num_queries):
    for query in ({}, {"score": "0"}, {"score": "10"}, {"change": ""}):
        assert client.get(url, query).status_code == 200
        assert client.head(url, query).status_code == 200
    assert not Response.objects.exists()


def test_postgresql_refuses_to_write_while_a_page_is_looked_at(rf, invitation):
    """The control: a page that does write on a GET."""

    @public.public_page
    def writing_page(request):
        return Response.objects.create(survey=invitation.survey, kind="nps", source="imported")

    with pytest.raises(InternalError, match="read-only transaction"):
        writing_page(rf.get("/"))


def test_an_answer_is_stored_with_its_task_and_thanked_for(client, url, invitation, alice):
    page = press(client, url, score="3", comment="The parcel came broken.")
    assert "Thank you. We read every answer." in page.text
    response = Response.objects.get()
    assert (response.score, response.band, response.comment) == (
        3,
        "detractor",
        "The parcel came broken.",
    )
    assert (response.product, response.segment) == ("Delivery", "Enterprise")
    task = OutreachTask.objects.get()
    assert (task.owner, task.due_at - response.answered_at) == (alice, timedelta(hours=72))


def test_a_second_press_shows_the_same_page_and_changes_nothing(client, url):
    first = press(client, url, score="3", comment="Late.")
    nonce = public.nonce(url.rpartition("/")[2])
    second = client.post(url, {"nonce": nonce, "score": "9", "comment": "x"}, follow=True)
    assert second.text == first.text
    assert Response.objects.values_list("score", "comment").get() == (3, "Late.")


def test_an_answer_can_be_changed_and_every_version_is_kept(client, url):
    press(client, url, score="3", comment="Late.")
    assert 'value="3" required checked' in client.get(url, {"change": ""}).text
    press(client, url + "?change", score="9", comment="I chose the wrong number.")
    assert Response.objects.get().band == "promoter"
    assert list(ResponseVersion.objects.values_list("number", "score")) == [(1, 3), (2, 9)]
    assert OutreachTask.objects.get().state == "withdrawn"


def test_after_fourteen_days_an_answer_stays(client, url):
    press(client, url, score="3", comment="")
    Response.objects.update(answered_at=timezone.now() - timedelta(days=14, minutes=1))
    page = client.get(url, {"change": ""}).text
    assert "Change my answer" not in page
    assert 'name="score"' not in page


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({}, "Please choose a score."),
        ({"score": "11"}, "Please choose one of the scores."),
        ({"score": "-1"}, "Please choose one of the scores."),
        ({"score": "5.5"}, "Please choose one of the scores."),
        ({"score": "٥"}, "Please choose one of the scores."),
        ({"score": "5", "comment": "x" * 5_001}, "at most 5000 characters"),
    ],
)
def test_what_is_wrong_is_said_and_the_comment_is_kept(client, url, said, message):
    page = press(client, url, **{"comment": "Please keep me.", **said})
    assert page.status_code == 422
    assert message in page.text
    assert said.get("comment", "Please keep me.") in page.text
    assert not Response.objects.exists()


def test_a_form_that_nobody_fetched_is_refused(client, url, invitation):
    other = signing.TimestampSigner(salt="another").sign(invitation.token())
    for nonce in ("", "x", other, public.nonce("a" * 26)):
        assert client.post(url, {"score": "9", "nonce": nonce}).status_code == 422
    assert not Response.objects.exists()


def test_unknown_expired_closed_and_foreign_links_give_the_same_page(client, url, invitation, nps):
    unknown = client.get("/a/" + "a" * 26)
    foreign = client.get(f"/a/{invitation.token('unsubscribe')}")
    odd = [client.get(path) for path in ("/a/x", url + ".", url[:-1], "/a/%00", "/a/" + "z" * 9999)]
    invitation.expires_at = timezone.now()
    invitation.save()
    expired = client.get(url)
    invitation.expires_at += timedelta(days=1)
    invitation.save()
    nps.is_open = False
    nps.save()
    closed = client.get(url)
    pages = [unknown, foreign, expired, closed, *odd]
    assert {page.status_code for page in pages} == {404}
    assert len({page.content for page in pages}) == 1


def test_a_link_in_capitals_still_works(client, url):
    assert client.get("/a/" + url[3:].upper()).status_code == 200


def test_the_page_tells_nobody_and_sets_no_cookie(client, url):
    page = client.get(url)
    assert not page.cookies
    assert {name: page[name] for name in public.HEADERS} == public.HEADERS
    assert set(page["Content-Security-Policy"].split("; ")) == {
        "default-src 'none'",
        "style-src 'self'",
        "img-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    }


def test_what_customers_type_is_shown_as_text(client, url):
    press(client, url, score="3", comment="<script>alert(1)</script>{{7*7}}")
    page = client.get(url, {"change": ""}).text
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;{{7*7}}" in page


@pytest.mark.parametrize("rows", [1, 3])
def test_query_counts_do_not_grow(client, nps, account, rows, django_assert_num_queries):
    customers = [
        Customer.objects.create(account=account, email=f"c{row}@lakeside.example")
        for row in range(rows)
    ]
    asked = ask.invite(nps, customers, "test:2", timezone.now())
    url = f"/a/{asked[0].token()}"
    with django_assert_num_queries(6):  # BEGIN, READ ONLY, invitation, answer given, words, COMMIT
        client.get(url)
    nonce = public.nonce(asked[0].token())
    with django_assert_num_queries(13):
        client.post(url, {"nonce": nonce, "score": "2"})
