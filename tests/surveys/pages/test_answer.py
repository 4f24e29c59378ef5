import re
from datetime import timedelta

import pytest
from django.db import InternalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from surveys.loop import answer, ask
from surveys.models import Customer, Message, OutreachTask, Response, ResponseVersion, Wording
from surveys.pages import nonces, public
from tests.conftest import correct
from tests.surveys.pages.pressing import add, press, seen

pytestmark = pytest.mark.django_db(transaction=True)  # a page's READ ONLY needs a real transaction


def versions():
    return list(ResponseVersion.objects.values_list("number", "score", "comment"))


def statements(work) -> int:
    """How many SQL statements it takes, without those that begin, end and mark a transaction."""
    with CaptureQueriesContext(connection) as queries:
        work()
    around = re.compile("BEGIN|COMMIT|SET|SAVEPOINT|RELEASE")
    asked = [query["sql"] or "prepared" for query in queries]
    return sum(not around.match(sql) for sql in asked)


def test_the_score_of_the_clicked_link_is_preselected(client, url):
    page = client.get(url, {"score": "9"}).text
    assert re.findall(r'value="(\d+)" required( checked)?', page) == [
        (str(score), " checked" if score == 9 else "") for score in range(11)
    ]


@pytest.mark.parametrize("score", ["11", "-1", "٥", "x", "9" * 5_000])
def test_a_link_with_an_odd_score_preselects_nothing(client, url, score):
    page = client.get(url, {"score": score})
    assert (page.status_code, page.text.count(" checked")) == (200, 0)


def test_looking_writes_nothing(client, url):
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


def test_the_first_press_is_the_answer_and_opens_its_task(client, url, alice):
    page = press(client, url, score="3")
    assert page.status_code == 200
    response = Response.objects.get()
    assert (response.score, response.band, response.verdict) == (3, "detractor", "person")
    assert (response.product, response.segment) == ("Delivery", "Enterprise")
    task = OutreachTask.objects.get()
    assert (task.owner, task.due_at - response.answered_at) == (alice, timedelta(hours=72))


def test_then_one_question_that_fits_the_score_is_asked(client, url, nps):
    Wording.objects.update(detractor_question="What went wrong?")
    assert "What went wrong?" in press(client, url, score="3").text
    assert "What went wrong?" not in press(client, url, score="9").text


def test_what_is_added_belongs_to_the_same_answer(client, url, nps):
    Wording.objects.update(reasons="price: The price\ndelivery: The delivery")
    assert "The delivery" in press(client, url, score="3").text
    page = add(client, url, comment="Broken.\r\nTwice.", reasons=["delivery", "price"])
    assert "Thank you. We read every answer." in page.text
    response = Response.objects.get()
    assert (response.score, response.comment) == (3, "Broken.\nTwice.")
    assert [reason.key for reason in response.reasons.all()] == ["delivery", "price"]
    assert versions() == [(1, 3, ""), (2, 3, "Broken.\nTwice.")]


def test_reasons_can_be_taken_back(client, url):
    Wording.objects.update(reasons="price: The price\ndelivery: The delivery")
    press(client, url, score="3")
    add(client, url, reasons=["delivery", "price"])
    add(client, url, reasons=["price"])
    assert [reason.key for reason in Response.objects.get().reasons.all()] == ["price"]


def test_an_unfinished_answer_goes_on_when_the_link_is_opened_again(client, url):
    press(client, url, score="9")
    assert 'name="comment"' in client.get(url).text
    add(client, url, comment="")
    page = client.get(url).text
    assert 'name="comment"' not in page
    assert "Thank you. We read every answer." in page


def test_a_wish_for_contact_opens_a_task_whatever_the_score(client, url, alice):
    press(client, url, score="10")
    assert not OutreachTask.objects.exists()
    add(client, url, contact="phone", contact_time="after four")
    response, task = Response.objects.get(), OutreachTask.objects.get()
    assert (response.wants_contact, response.contact_channel, response.contact_time) == (
        True,
        "phone",
        "after four",
    )
    assert (task.cause, task.owner) == ("contact_wish", alice)
    assert task.due_at - response.finished_at == timedelta(hours=72)


def test_a_second_press_changes_nothing(client, url):
    first = press(client, url, score="3")
    second = press(client, url, score="3")
    assert without_nonces(second.text) == without_nonces(first.text)
    assert versions() == [(1, 3, "")]


def without_nonces(page: str) -> str:
    return re.sub(r'value="\d+\.[\w-]+"', "", page)


def test_another_score_corrects_the_answer_and_the_comment_stays(client, url):
    press(client, url, score="3")
    add(client, url, comment="Late.")
    page = client.get(url, {"change": ""}).text
    assert 'value="3" required checked' in page
    assert "Late." in press(client, url + "?change", score="9").text
    assert Response.objects.get().band == "promoter"
    assert versions() == [(1, 3, ""), (2, 3, "Late."), (3, 9, "Late.")]
    task = OutreachTask.objects.get()
    assert (task.state, task.withdrawn_reason) == (
        "withdrawn",
        "The customer changed the score from 3 to 9.",
    )


def test_after_fourteen_days_an_answer_stays(client, url):
    press(client, url, score="3")
    Response.objects.update(answered_at=timezone.now() - timedelta(days=14, minutes=1))
    for page in (
        client.get(url, {"change": ""}).text,
        press(client, url, score="9").text,
        add(client, url, comment="Too late.").text,
    ):
        assert "Thank you. We read every answer." in page
        assert "Change my answer" not in page
        assert 'name="score"' not in page
    assert versions() == [(1, 3, "")]


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({}, "Please choose a score."),
        ({"score": "11"}, "Please choose one of the scores."),
        ({"score": "-1"}, "Please choose one of the scores."),
        ({"score": "5.5"}, "Please choose one of the scores."),
        ({"score": "٥"}, "Please choose one of the scores."),
        ({"score": "5", "comment": "x" * 5_001}, "The comment is too long."),
    ],
)
def test_what_is_wrong_is_said(client, url, said, message):
    page = press(client, url, **said)
    assert page.status_code == 422
    assert message in page.text
    assert not Response.objects.exists()


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"comment": "x" * 5_001}, "at most 5000 characters"),
        ({"contact": "pigeon"}, "Select a valid choice."),
        ({"contact": "phone", "contact_time": "x" * 121}, "at most 120 characters"),
        ({"reasons": ["weather"]}, "Select a valid choice."),
    ],
)
def test_what_is_wrong_on_the_second_page_is_said_and_nothing_is_lost(client, url, said, message):
    Wording.objects.update(reasons="price: The price")
    press(client, url, score="5")
    page = add(client, url, **{"comment": "Please keep me.", **said})
    assert page.status_code == 422
    assert message in page.text
    assert said.get("comment", "Please keep me.") in page.text
    assert versions() == [(1, 5, "")]


def test_line_breaks_count_as_the_browser_counts_them(client, url):
    press(client, url, score="5")
    assert add(client, url, comment="\r\n".join(["x" * 9] * 500)).status_code == 200


def test_a_nonce_of_another_link_or_of_nobody_leads_nowhere(client, url):
    other = nonces.issue("a" * 26, now=timezone.now() - timedelta(seconds=5))
    for nonce in ("", "x", "1.x", seen(url) + "x", other):
        page = client.post(url, {"score": "9", "nonce": nonce})
        assert (page.status_code, page.content) == (404, client.get("/a/x").content)
    assert not Response.objects.exists()


def test_a_page_that_was_open_for_a_day_is_shown_again_with_what_was_said(client, url):
    a_day = 24 * 3600 + 1
    page = press(client, url, score="9", seconds=a_day)
    assert page.status_code == 422
    assert "open for too long" in page.text
    assert 'value="9" required checked' in page.text
    press(client, url, score="9")
    page = press(client, url, page="more", comment="Keep me.", seconds=a_day)
    assert page.status_code == 422
    assert "Keep me." in page.text
    assert versions() == [(1, 9, "")]


def test_unknown_expired_closed_and_foreign_links_give_the_same_page(client, url, invitation, nps):
    unknown = client.get("/a/" + "a" * 26)
    foreign = client.get(f"/a/{invitation.token('unsubscribe')}")
    odd = [client.get(path) for path in ("/a/x", url + ".", url[:-1], "/a/%00", "/a/" + "z" * 9999)]
    invitation.expires_at = timezone.now()
    invitation.language = "de"
    invitation.save()
    expired = [client.get(url), press(client, url, score="3")]
    invitation.expires_at += timedelta(days=1)
    invitation.save()
    nps.is_open = False
    nps.save()
    closed = [client.get(url), press(client, url, score="3")]
    pages = [unknown, foreign, *expired, *closed, *odd]
    assert {page.status_code for page in pages} == {404}
    assert len({page.content for page in pages}) == 1
    assert not Response.objects.exists()


def test_an_answer_is_shown_and_finished_after_the_link_has_expired(client, url, invitation):
    press(client, url, score="3")
    invitation.expires_at = timezone.now()
    invitation.save()
    assert 'name="comment"' in client.get(url).text
    assert add(client, url, comment="Late.").status_code == 200
    assert Response.objects.get().comment == "Late."


def test_the_second_page_before_there_is_an_answer_leads_to_the_first(client, url):
    page = add(client, url, comment="Nothing to add it to.")
    assert (page.status_code, page["Location"]) == (303, url)


def test_a_link_in_capitals_still_works(client, url):
    assert client.get("/a/" + url[3:].upper()).status_code == 200
    assert press(client, "/a/" + url[3:].upper(), score="3").status_code == 200
    assert Response.objects.get().score == 3


def test_the_page_tells_nobody_and_sets_no_cookie(client, url):
    for page in (client.get(url), press(client, url, score="3")):
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
    press(client, url, score="3")
    page = add(client, url, comment="<script>alert(1)</script>{{7*7}}", contact="pigeon").text
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;{{7*7}}" in page


def test_the_invitations_language_comes_first_then_the_browsers(client, url, invitation, nps):
    german = Wording.objects.get()
    german.pk, german.language, german.question = None, "de", "Wie wahrscheinlich ist es?"
    german.save()
    french = {"Accept-Language": "fr"}
    invitation.language = "de-AT"
    invitation.save()
    page = client.get(url, headers=french).text
    assert 'lang="de"' in page
    assert german.question in page
    invitation.language = "sv"  # no wording, and no language of ours
    invitation.save()
    assert 'lang="fr"' in client.get(url, headers=french).text
    assert german.question in client.get(url, headers={"Accept-Language": "de"}).text
    assert german.question not in client.get(url, headers=french).text  # the survey's fallback


@pytest.mark.parametrize("rows", [1, 3])
def test_a_look_and_a_press_are_one_statement_each(client, nps, account, rows):
    customers = [
        Customer.objects.create(account=account, email=f"c{row}@lakeside.example")
        for row in range(rows)
    ]
    asked = ask.invite(nps, customers, "test:2", timezone.now())
    for invitation in asked:
        url = f"/a/{invitation.token()}"
        assert statements(lambda url=url: client.get(url)) == 1
        assert statements(lambda url=url: press(client, url, score="2")) == 1
        assert statements(lambda url=url: client.get(url)) == 1
        assert statements(lambda url=url: add(client, url, comment="Late.")) <= 5
        assert statements(lambda url=url: client.get(url)) == 1
    assert OutreachTask.objects.count() == rows


WISHES = {"reasons": ["price", "delivery"], "contact": "phone", "contact_time": "after four"}
NOTHING = {"comment": ""}


@pytest.mark.parametrize(
    ("score", "said"),
    [("2", NOTHING), ("2", WISHES), ("10", NOTHING), ("10", WISHES)],
)
@pytest.mark.parametrize("before", [None, NOTHING, WISHES, "told"])
def test_the_second_page_takes_five_statements(client, url, score, said, before):
    """Also when a wish opens a task, and when it is said anew, or after its mail went out."""
    Wording.objects.update(reasons="price: The price\ndelivery: The delivery")
    press(client, url, score=score)
    if before == "told":
        add(client, url, **WISHES)
        Message.objects.update(state="sent", sent_at=timezone.now())
    elif before:
        add(client, url, **before)
    assert 3 <= statements(lambda: add(client, url, **said | {"comment": "Late."})) <= 5


@pytest.mark.parametrize(("first", "score"), [("2", "9"), ("9", "2"), ("9", "8"), ("1", "4")])
@pytest.mark.parametrize("more", [None, WISHES])
def test_a_correction_takes_five_statements(client, url, first, score, more):
    """Whether a task is withdrawn, opened or recast, or nothing follows."""
    Wording.objects.update(reasons="price: The price\ndelivery: The delivery")
    press(client, url, score=first)
    if more:
        add(client, url, **more)
    assert 4 <= statements(lambda: press(client, url, score=score)) <= 5
    assert (Response.objects.get().score, len(versions())) == (int(score), 3 if more else 2)


def test_a_correction_that_needs_its_task_again_takes_five_statements(client, url, invitation):
    now = timezone.now()
    given, _ = answer.give(invitation, 2, "", now - timedelta(hours=2))
    correct(given, 9, "", now - timedelta(hours=1))
    assert OutreachTask.objects.get().state == "withdrawn"
    assert statements(lambda: press(client, url, score="3")) == 5
    assert OutreachTask.objects.get().state == "open"


def test_a_wish_that_is_taken_back_and_wished_again_takes_five_statements(client, url):
    Wording.objects.update(reasons="price: The price\ndelivery: The delivery")
    press(client, url, score="10")
    for said in (WISHES, NOTHING, WISHES):
        assert statements(lambda said=said: add(client, url, **said)) <= 5
    task = OutreachTask.objects.get()
    assert (task.state, task.cause) == ("open", "contact_wish")
