"""The pages of an open link: the same form and traps as of any survey, without knowing whose."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from surveys.loop import ask
from surveys.models import (
    Band,
    Message,
    OpenAnswer,
    OpenLink,
    OutreachTask,
    Response,
    ResponseVersion,
    Sign,
    Wording,
)
from surveys.models.open_links import new_key
from surveys.pages import clients, nonces

pytestmark = pytest.mark.django_db(transaction=True)  # a page's READ ONLY needs a real transaction

ADDRESS = re.compile(r'<form method="post" action="([^"]+)">')
NONCE = re.compile(r'name="nonce" value="([^"]+)"')


@pytest.fixture(autouse=True)
def _nobody_came_before():
    clients.walks.forget()
    clients.guesses.forget()


@pytest.fixture
def link(nps):
    return OpenLink.objects.create(survey=nps, name="Counter")


@pytest.fixture
def url(link):
    return f"/o/{link.token}"


def form_of(client, url) -> str:
    """The address that a fresh form is sent to."""
    return ADDRESS.search(client.get(url).text)[1]


def page_of(form: str) -> str:
    """What the nonces of the form are bound to."""
    _, _, token, key = form.split("/")
    return f"{token}|{key}"


def press(client, form, *, after=5.0, kind=nonces.FORM, **said):
    """Send the form so many seconds after it was shown."""
    shown = timezone.now() - timedelta(seconds=after)
    return client.post(form, {"nonce": nonces.issue(page_of(form), kind, shown), **said})


def test_an_answer_is_stored_as_anonymous_and_opens_no_task(client, link, url):
    form = form_of(client, url)
    page = press(client, form, score="2")
    assert (page.status_code, "Your answer has arrived" in page.text) == (200, True)
    response = Response.objects.get()
    assert (response.source, response.score, response.band) == ("anonymous", 2, Band.DETRACTOR)
    assert (response.customer, response.invitation, response.segment) == (None, None, "")
    assert (response.product, response.language, response.verdict) == ("Delivery", "en", "person")
    assert response.open_answer.link == link
    assert not OutreachTask.objects.exists()
    assert not Message.objects.exists()


def test_the_page_after_it_asks_for_more_but_not_for_a_contact_that_leads_nowhere(client, url):
    Wording.objects.update(reasons="price: The price\nwaiting: The wait")
    form = form_of(client, url)
    page = press(client, form, score="9")
    assert "Shall we contact you" not in page.text
    assert "we do not ask your name" in page.text
    assert "kept with your name" not in page.text
    assert 'href="mailto:surveys@northwind.example"' in page.text
    more = {"page": "more", "comment": "Quick and kind.", "reasons": ["waiting"]}
    thanks = press(client, form, **more, contact="phone", contact_time="at noon")
    assert "Thank you. We read every answer." in thanks.text
    response = Response.objects.get()
    assert (response.comment, response.finished_at is None) == ("Quick and kind.", False)
    assert [reason.key for reason in response.reasons.all()] == ["waiting"]
    assert (response.wants_contact, response.contact_channel) == (False, "")
    assert not OutreachTask.objects.exists()


def test_each_look_is_a_form_for_the_next_person(client, url):
    forms = [form_of(client, url) for _ in range(3)]
    assert len(set(forms)) == 3
    for number, form in enumerate(forms):
        press(client, form, score=str(number))
    assert sorted(Response.objects.values_list("score", flat=True)) == [0, 1, 2]


def test_one_form_is_one_answer_however_often_it_is_sent(client, url):
    form = form_of(client, url)
    for _ in range(3):
        assert press(client, form, score="7").status_code == 200
    assert (Response.objects.count(), ResponseVersion.objects.count()) == (1, 1)


def test_an_answer_can_be_resumed_and_corrected_by_who_was_shown_the_form(client, url):
    form = form_of(client, url)
    press(client, form, score="2")
    assert "Your answer has arrived" in client.get(form).text
    assert 'value="2" required checked' in client.get(form, {"change": ""}).text
    press(client, form, score="9")
    assert Response.objects.get().band == Band.PROMOTER
    assert list(ResponseVersion.objects.values_list("number", "score")) == [(1, 2), (2, 9)]
    press(client, form, page="more", comment="")
    assert "Thank you. We read every answer." in client.get(form).text
    Response.objects.update(answered_at=timezone.now() - timedelta(days=15))
    press(client, form, score="0")
    assert Response.objects.get().score == 9


def test_a_form_opens_nothing_at_another_link(client, link, url, nps):
    form = form_of(client, url)
    press(client, form, score="2")
    other = OpenLink.objects.create(survey=nps, name="Invoices")
    elsewhere = f"/o/{other.token}/{form.rpartition('/')[2]}"
    nonce = nonces.issue(page_of(form), now=timezone.now() - timedelta(seconds=5))
    assert client.post(elsewhere, {"nonce": nonce, "score": "9"}).status_code == 404
    press(client, elsewhere, score="9")
    by_link = OpenAnswer.objects.order_by("pk").values_list("link__name", "response__score")
    assert list(by_link) == [("Counter", 2), ("Invoices", 9)]


@pytest.mark.parametrize(
    ("how", "sign"),
    [
        ({"after": 0.2}, Sign.TOO_FAST),
        ({"homepage": "https://spam.example"}, Sign.HIDDEN_FIELD),
        ({"kind": nonces.DECOY}, Sign.DECOY),
    ],
)
def test_machines_fall_into_the_same_traps_and_people_press_once_more(client, url, how, sign):
    form = form_of(client, url)
    page = press(client, form, score="0", **how)
    assert "Press once more to send" in page.text
    response = Response.objects.get()
    assert (response.verdict, response.signs) == ("machine", [sign])
    assert Response.objects.counted().count() == 0
    again = press(client, form, score="0", kind=nonces.AGAIN, after=3)
    assert "Your answer has arrived" in again.text
    response.refresh_from_db()
    assert (response.verdict, response.source) == ("person", "anonymous")
    assert not OutreachTask.objects.exists()


def test_a_real_form_and_its_decoy_are_sent_to_the_same_address(client, url):
    page = client.get(url).text
    addresses = re.findall(r'<form method="post" action="([^"]+)"', page)
    assert (len(addresses), len(set(addresses))) == (2, 1)
    decoy, real = (nonces.read(text, page_of(addresses[0])) for text in NONCE.findall(page))
    assert (decoy.form, real.form) == (nonces.DECOY, nonces.FORM)


def test_looking_writes_nothing_and_sets_no_cookies(client, url):
    form = form_of(client, url)
    press(client, form, score="2")
    for address in (url, form, form + "?change", url + "?score=3"):
        page = client.get(address)
        assert (page.status_code, client.head(address).status_code) == (200, 200)
        assert not page.cookies
        assert page["Cache-Control"] == "no-store"
        assert page["Referrer-Policy"] == "no-referrer"
        assert page["X-Robots-Tag"] == "noindex"
        assert "<script" not in page.text
    assert Response.objects.count() == 1
    assert client.post(url, {"score": "3"}).status_code == 405


def test_unknown_closed_and_odd_addresses_give_the_same_page(client, link, url, nps):
    form = form_of(client, url)
    unknown = client.get("/o/" + "a" * 26)
    odd = [client.get(path) for path in ("/o/x", "/o/%00", url + "/x", url + "/" + "A" * 26,
                                         f"/a/{link.token}")]  # fmt: skip
    OpenLink.objects.update(is_open=False)
    closed = [client.get(url), client.get(form), press(client, form, score="9")]
    OpenLink.objects.update(is_open=True)
    nps.is_open = False
    nps.save()
    over = [client.get(url), press(client, form, score="9")]
    pages = [unknown, *odd, *closed, *over]
    assert {page.status_code for page in pages} == {404}
    assert len({page.content for page in pages}) == 1
    assert not Response.objects.exists()


def test_a_form_that_nobody_fetched_is_refused(client, link, url):
    form = f"{url}/{new_key()}"
    for nonce in ("", "x", nonces.issue(link.token), nonces.issue(page_of(form_of(client, url)))):
        assert client.post(form, {"score": "9", "nonce": nonce}).status_code == 404
    assert not Response.objects.exists()


@pytest.mark.parametrize("said", [{}, {"score": "11"}, {"score": "٥"}, {"score": "5.5"}])
def test_what_is_wrong_is_said(client, url, said):
    page = press(client, form_of(client, url), **said)
    assert (page.status_code, 'role="alert"' in page.text) == (422, True)
    assert not Response.objects.exists()


def from_(address: str) -> Client:
    return Client(REMOTE_ADDR=address)


def answered_from(address: str, url: str) -> int:
    browser = from_(address)
    return press(browser, form_of(browser, url), score="9").status_code


def test_one_address_answers_so_often_an_hour_and_others_go_on(link, url):
    link.client_limit = 2
    link.save()
    assert [answered_from("192.0.2.1", url) for _ in range(3)] == [200, 200, 429]
    assert answered_from("192.0.2.2", url) == 200
    OpenAnswer.objects.update(at=timezone.now() - timedelta(minutes=61))
    assert answered_from("192.0.2.1", url) == 200
    assert Response.objects.count() == 4


def test_a_link_takes_so_many_answers_a_day(link, url):
    link.daily_limit = 2
    link.save()
    assert [answered_from(f"192.0.2.{n}", url) for n in range(3)] == [200, 200, 429]
    browser = from_("192.0.2.9")
    page = press(browser, form_of(browser, url), score="9")
    assert "Please come back later" in page.text
    assert page["Retry-After"] == "3600"
    OpenAnswer.objects.update(at=timezone.now() - timedelta(hours=25))
    assert answered_from("192.0.2.9", url) == 200


def test_a_limit_keeps_nobody_from_finishing_or_correcting(client, link, url):
    form = form_of(client, url)
    press(client, form, score="2")
    OpenLink.objects.update(daily_limit=1, client_limit=1)
    assert press(client, form, score="3").status_code == 200
    assert press(client, form, page="more", comment="Late.").status_code == 200
    assert Response.objects.values_list("score", "comment").get() == (3, "Late.")


def test_the_address_is_kept_as_a_hash(link, url):
    answered_from("192.0.2.77", url)
    given = OpenAnswer.objects.get()
    assert (len(given.client), "192.0.2.77" in given.client) == (16, False)


@pytest.mark.parametrize(
    ("browser", "fallback", "asked", "button"),
    [
        ("de-AT,de;q=0.9", "", "Wie wahrscheinlich?", "Antwort senden"),
        ("fr", "", "How likely", "Send my answer"),
        ("fr", "de", "Wie wahrscheinlich?", "Antwort senden"),
        ("", "de", "How likely", "Send my answer"),
        ("xx-klingon", "", "How likely", "Send my answer"),
    ],
)
def test_the_browser_chooses_among_the_words_there_are(
    client, link, url, nps, browser, fallback, asked, button
):
    words = Wording.objects.get()
    words.pk, words.language, words.question = None, "de", "Wie wahrscheinlich?"
    words.save()
    link.language = fallback
    link.save()
    page = client.get(url, headers={"Accept-Language": browser}).text
    assert asked in page
    assert button in page


def test_without_listed_origins_nobody_may_frame_it(client, url):
    page = client.get(url)
    assert "frame-ancestors 'none'" in page["Content-Security-Policy"]
    assert page["X-Frame-Options"] == "DENY"


def test_listed_origins_and_no_others_may_frame_every_page_of_it(client, link, url):
    link.framed_by = "https://shop.example\nhttps://www.shop.example:8443"
    link.save()
    form = form_of(client, url)
    answered = press(client, form, score="9")
    caught = press(client, form_of(client, url), score="9", after=0.1)
    wrong = press(client, form_of(client, url))
    for page in (client.get(url), client.get(form), answered, caught, wrong):
        policy = dict(
            part.strip().partition(" ")[::2] for part in page["Content-Security-Policy"].split(";")
        )
        assert policy["frame-ancestors"] == "https://shop.example https://www.shop.example:8443"
        assert (policy["default-src"], policy["form-action"]) == ("'none'", "'self'")
        assert "X-Frame-Options" not in page
    OpenLink.objects.update(client_limit=1)
    busy = press(client, form_of(client, url), score="9")
    assert (busy.status_code, "X-Frame-Options" in busy) == (429, False)


def test_a_customers_own_page_is_framed_by_nobody(client, link, nps, customer):
    link.framed_by = "https://shop.example"
    link.save()
    [asked] = ask.invite(nps, [customer], "ticket:1", timezone.now())
    page = client.get(f"/a/{asked.token()}")
    assert "frame-ancestors 'none'" in page["Content-Security-Policy"]
    assert page["X-Frame-Options"] == "DENY"


def statements(call) -> int:
    """How many statements it takes, without those that open and close transactions."""
    with CaptureQueriesContext(connection) as queries:
        call()
    around = ("BEGIN", "COMMIT", "SET TRANSACTION")
    return len([query for query in queries if not (query["sql"] or "").startswith(around)])


@pytest.mark.parametrize("rows", [1, 3])
def test_statements_do_not_grow(client, url, rows):
    for _ in range(rows):
        press(client, form_of(client, url), score="9")
    form = form_of(client, url)
    assert statements(lambda: client.get(url)) == 2
    assert statements(lambda: client.get(form)) == 3
    assert statements(lambda: press(client, form, score="9")) == 8
    assert statements(lambda: client.get(form)) == 3


def test_many_guesses_are_slowed_down(client):
    codes = [client.get(f"/o/{'b' * 24}{n:02}").status_code for n in range(20, 90)]
    assert (set(codes[:60]), set(codes[60:])) == ({404}, {429})
