"""What was made to hurt the customers' pages: links, scores, texts and headers. Whatever would be a
500 raises in these tests, and fails them; unless a test says otherwise, nothing is stored."""

import re
from datetime import timedelta
from email import message_from_bytes, policy
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest
from django.utils import timezone

from surveys.api import keys
from surveys.delivery import claim, emails
from surveys.loop import ask
from surveys.models import (
    ApiKey,
    Customer,
    Message,
    OutreachTask,
    Response,
    ResponseVersion,
    Sign,
    Suppression,
    Wording,
)
from surveys.pages import clients, nonces
from tests.bench.forms import forms_of, seen_form

pytestmark = pytest.mark.django_db(transaction=True)  # a page's READ ONLY needs a real transaction
UNKNOWN = "a" * 26


@pytest.fixture
def invitation(nps, customer):
    return ask.invite(nps, [customer], "test:1", timezone.now())[0]


@pytest.fixture
def url(invitation):
    return f"/a/{invitation.token()}"


@pytest.fixture(autouse=True)
def _nobody_was_here():
    clients.walks.forget()
    clients.guesses.forget()


def nonce(url: str, seconds: float = 5, form: str = nonces.FORM) -> str:
    """That of a page which was opened so long ago."""
    return nonces.issue(urlsplit(url).path[3:], form, timezone.now() - timedelta(seconds=seconds))


def send(client, url: str, **said):
    return client.post(url, {"nonce": nonce(url), **said})


def nothing_is_stored() -> bool:
    tables = (Response, ResponseVersion, OutreachTask, Suppression)
    return not any(model.objects.exists() for model in tables)


def headings(page: str) -> tuple[str, ...]:
    return tuple(re.findall(r"<h1>([^<]+)</h1>", page))


def parts_of(mail: bytes) -> tuple[str, str]:
    """HTML and text."""
    read = message_from_bytes(mail, policy=policy.default)
    html, plain = (read.get_body((kind,)) for kind in ("html", "plain"))
    return html.get_content(), plain.get_content()


# Links


ODD = ["/a/%00", "/a/abc%00", "/u/%00", "/a/%ff", "/a/%ed%a0%80", "/a/%F0%9F%98%80", "/a/..",
       "/a/%0d%0aX-Injected:1", "/a/" + "z" * 100_000]  # fmt: skip


def test_a_link_of_odd_characters_leads_nowhere(client):
    for path in ODD:
        for fetch in (client.get, client.head, client.post):
            page = fetch(path)
            assert (page.status_code, "X-Injected" in page) == (404, False), path[:20]
    assert client.get("/p/%00").status_code == 404
    assert nothing_is_stored()


def test_every_wrong_token_gives_the_same_page(client, url, invitation):
    token = invitation.token()
    wrong = [UNKNOWN, token + ".", token[:-1], token + "a", "z" * 100_000, token[::-1], "x"]
    wrong += [invitation.token("unsubscribe"), invitation.token("privacy")]
    pages = [client.get(f"/a/{one}", {"score": "3"}) for one in wrong]
    assert {(page.status_code, page.content) for page in pages} == {(404, pages[0].content)}
    assert client.get(f"/a/{token.upper()}").status_code == 200  # as some mail programs do
    assert nothing_is_stored()


def test_a_token_opens_only_what_it_is_for(client, invitation):
    links = {"/a/": "answer", "/u/": "unsubscribe", "/p/": "privacy"}
    for path in links:
        for purpose in links.values():
            status = client.get(path + invitation.token(purpose)).status_code
            assert status == (200 if links[path] == purpose else 404), (path, purpose)


def test_two_thousand_guesses_hit_nothing_and_are_slowed_down(client, url, invitation):
    guess = (f"/a/{'abcdefghij'[n % 10] * 22}{n:04d}".translate(DIGITS) for n in range(2_000))
    statuses = [client.get(path).status_code for path in guess]
    assert (statuses.count(404), statuses.count(429)) == (60, 1_940)
    assert statuses[:60] == [404] * 60
    refused = client.get(f"/a/{UNKNOWN}")
    assert (refused.status_code, refused["Retry-After"]) == (429, "60")
    # A colleague behind the same address is served, and so is everybody elsewhere.
    assert client.get(url).status_code == 200
    assert client.get(f"/a/{UNKNOWN}", REMOTE_ADDR="127.0.0.2").status_code == 404
    assert nothing_is_stored()


DIGITS = str.maketrans("0189", "yzwx")  # base32 has none of them


def test_after_a_minute_guesses_are_answered_again(client, monkeypatch):
    for _ in range(61):
        page = client.get(f"/a/{UNKNOWN}")
    assert page.status_code == 429
    clock = clients.guesses.clock
    monkeypatch.setattr(clients.guesses, "clock", lambda: clock() + 61)
    assert client.get(f"/a/{UNKNOWN}").status_code == 404


ELSEWHERE = ["//evil.example", "\\\\evil.example", "javascript:alert(1)", "https://evil.example"]


def test_nobody_is_sent_elsewhere(client, url):
    for target in ELSEWHERE:
        for name in ("next", "redirect", "url", "return_to"):
            way = f"{url}?{name}={target}"
            said = {"nonce": nonce(url), "score": "9", name: target}
            for reply in (client.get(way), client.post(way, said)):
                assert (reply.status_code, "Location" in reply) == (200, False)
                assert not re.search(r"evil\.example|alert\(1\)", reply.text)
                assert {form.action for form in forms_of(reply.text)} <= {"", url}


# Scores


SCORES = ["true", "5.5", "[5]", "-1", "11", "+5", " 5", "5 ", "05e0", "0x5", "1e400", "NaN", "five",
          "٥", "५", "５", "³", "9" * 5_000, "5\0", "5,6", "None", ""]  # fmt: skip


def test_what_is_no_score_is_refused_next_to_the_scores(client, url):
    for score in SCORES:
        page = send(client, url, score=score)
        assert (page.status_code, 'role="alert"' in page.text) == (422, True), ascii(score)[:20]
    assert nothing_is_stored()


def test_a_link_with_what_is_no_score_shows_the_page_with_none_chosen(client, url):
    for score in SCORES:
        page = client.get(url, {"score": score})
        assert page.status_code == 200, ascii(score)[:20]
        assert "score" not in seen_form(page.text).values, ascii(score)[:20]
    assert nothing_is_stored()


def test_a_sound_score_is_taken(client, url):
    """The control of all that is refused here."""
    assert send(client, url, score="5").status_code == 200
    assert Response.objects.get().score == 5


def test_of_two_scores_in_one_form_one_counts(client, url):
    client.post(url, {"nonce": nonce(url), "score": ["11", "4"]})
    assert list(ResponseVersion.objects.values_list("score", flat=True)) == [4]


# Forms


def test_a_replayed_form_shows_the_same_page_and_stores_nothing_more(client, url):
    said = {"nonce": nonce(url), "score": "3"}
    pages = [client.post(url, said) for _ in range(3)]
    assert [page.status_code for page in pages] == [200] * 3
    assert len({headings(page.text) for page in pages}) == 1
    assert (Response.objects.count(), ResponseVersion.objects.count()) == (1, 1)
    assert OutreachTask.objects.count() == 1


def test_the_nonce_of_another_link_opens_nothing(client, url, nps, account):
    other = Customer.objects.create(account=account, email="other@lakeside.example")
    [foreign] = ask.invite(nps, [other], "test:1", timezone.now())
    page = client.post(url, {"nonce": nonce(f"/a/{foreign.token()}"), "score": "3"})
    assert page.status_code == 404
    assert nothing_is_stored()


@pytest.mark.parametrize(
    "forged", ["", "x", "1.x", "x.y", "٣.x", "9" * 30 + ".x", "\0", "a" * 9_999]
)
def test_a_forged_nonce_opens_nothing(client, url, forged):
    assert client.post(url, {"nonce": forged, "score": "3"}).status_code == 404
    assert nothing_is_stored()


def test_a_press_a_tenth_of_a_second_after_the_page_is_a_machines(client, url):
    """It is kept, with the reason; it does not count, and a person may press once more."""
    page = client.post(url, {"nonce": nonce(url, seconds=0.1), "score": "3"})
    assert (page.status_code, headings(page.text)) == (200, ("Please press once more",))
    kept = Response.objects.get()
    assert (kept.verdict, kept.signs, kept.score) == ("machine", [Sign.TOO_FAST], 3)
    assert not OutreachTask.objects.exists()

    again = seen_form(page.text).values | {"nonce": nonce(url, 2.1, nonces.AGAIN)}
    assert client.post(url, again).status_code == 200
    kept.refresh_from_db()
    assert (kept.verdict, kept.score) == ("person", 3)
    assert OutreachTask.objects.get().state == "open"


def test_a_forged_one_click_opts_nobody_out(client, invitation):
    for token in (UNKNOWN, invitation.token("answer"), invitation.token("privacy")):
        page = client.post(f"/u/{token}", {"List-Unsubscribe": "One-Click"})
        assert page.status_code == 404
    assert nothing_is_stored()


def test_one_click_by_get_opts_nobody_out(client, invitation):
    path = f"/u/{invitation.token('unsubscribe')}"
    for get in (client.get, client.head):
        assert get(path, {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert nothing_is_stored()


def test_other_methods_are_refused(client, url):
    for ask_with in (client.put, client.patch, client.delete, client.trace):
        assert ask_with(url).status_code == 405
    smuggled = client.get(url, headers={"X-HTTP-Method-Override": "POST"})
    assert smuggled.status_code == 200
    assert nothing_is_stored()


# Texts


def test_half_a_surrogate_pair_is_replaced(client, url):
    body = f"nonce={nonce(url)}&score=3&comment=a%ED%A0%80b%FFc"
    form = "application/x-www-form-urlencoded"
    assert client.post(url, body, content_type=form).status_code == 200
    comment = Response.objects.get().comment
    assert comment.strip("\ufffdabc") == ""
    assert comment[0] + comment[-1] == "ac"


def test_a_comment_that_cannot_be_kept_whole_is_refused(client, url):
    for comment in ("a\0b", "😀" * 100_000, "x" * 5_001):
        page = send(client, url, score="3", comment=comment)
        assert (page.status_code, 'role="alert"' in page.text) == (422, True), comment[:3]
    assert nothing_is_stored()


MARKUP = (
    "\"'><script>alert(1)</script><img src=x onerror=alert(1)><svg onload=alert(1)>"
    '<a href="javascript:alert(1)">x</a></textarea></bdi><x-evil>'
)
TEMPLATES = "{{7*7}} {% load static %} {% include 'x' %} ${jndi:ldap://x/a} {name.__class__} #{7*7}"


class Reader(HTMLParser):
    """What a browser would make of a page: its text, and the elements that only MARKUP has."""

    def __init__(self, page: str):
        super().__init__()
        self.text, self.evil = "", []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        values = [f"{name}={value}" for name, value in attributes]
        runs = [one for one in values if one.startswith("on") and "alert(1)" in one]
        leads = [one for one in values if one.startswith("href=javascript:")]
        self.evil += [tag] if tag == "x-evil" or runs or leads else []
        self.text += "".join(f" {value}" for name, value in attributes if name == "value")

    def handle_data(self, data):
        self.text += data


def test_the_reader_sees_what_is_not_escaped():
    """The control."""
    assert Reader(MARKUP).evil == ["img", "svg", "a", "x-evil"]


def shown_as_text(page: str, text: str) -> bool:
    read = Reader(page)
    return read.evil == [] and text in read.text


@pytest.mark.parametrize("text", [MARKUP, TEMPLATES], ids=["markup", "templates"])
def test_what_customers_write_is_shown_as_text_everywhere(
    client, url, manager, alice, text, settings, django_user_model
):
    settings.COMPANY = text
    Customer.objects.update(name=text[:200])
    Wording.objects.update(question="{name}", thanks="{company}")
    page = send(client, url, score="3", comment=text)
    assert shown_as_text(page.text, text)  # the comment, to be added to
    said = {"page": "more", "comment": text, "contact": "phone", "contact_time": text[:120]}
    assert shown_as_text(send(client, url, **said).text, text)  # the company thanks
    assert shown_as_text(client.get(url, {"change": ""}).text, text[:200])  # the question

    response, task = Response.objects.get(), OutreachTask.objects.get()
    notice = Message.objects.get(kind="task_opened")
    notice.message_id = claim.message_id(notice)
    assert b"Content-Type: text/html" not in emails.render(notice).content
    client.force_login(manager, backend="django.contrib.auth.backends.ModelBackend")
    for path in (f"response/{response.pk}/change/", f"outreachtask/{task.pk}/change/"):
        assert shown_as_text(client.get(f"/admin/surveys/{path}").text, text), path
    for path in ("response/", "outreachtask/", f"customer/{response.customer_id}/change/"):
        assert Reader(client.get(f"/admin/surveys/{path}").text).evil == [], path

    key = keys.issue("CRM", manager, ApiKey.Scope.READ, timezone.now())[1]
    told = client.get(
        f"/api/v1/responses/{response.pk}/", headers={"Authorization": f"Bearer {key}"}
    )
    assert (told["Content-Type"], told["X-Content-Type-Options"]) == ("application/json", "nosniff")
    assert told.json()["comment"] == text


@pytest.mark.parametrize("text", [MARKUP, TEMPLATES], ids=["markup", "templates"])
def test_what_customers_are_called_is_shown_as_text_in_their_mail(nps, account, text):
    one = Customer.objects.create(account=account, name=text[:200], email="c@lakeside.example")
    ask.invite(nps, [one], "test:1", timezone.now())
    message = Message.objects.get()
    message.message_id = claim.message_id(message)
    letter = emails.render(message)
    html, plain = parts_of(letter.content)
    assert shown_as_text(html, text[:200])
    assert text[:200] in plain


def test_templates_written_by_colleagues_fill_in_three_names_and_no_more(client, url, settings):
    walks = "{name.__class__.__mro__} {0} {company!r} {settings.SECRET_KEY} {% include 'x' %}"
    Wording.objects.update(question=walks + " {company}")
    assert shown_as_text(client.get(url).text, f"{walks} {settings.COMPANY}")
    assert settings.SECRET_KEY not in client.get(url).text


SPOOFS = "gnp.\u202egpj \u2066a\u2069 pass\u200bword\ufeff \x1b[31m\x08\x85 Z" + "\u0301" * 2_000
UNSEEN = set("\u202e\u2066\u2069\u200b\ufeff\x1b\x08\x85")


def test_spoofs_are_kept_apart_and_made_visible(client, url, manager):
    send(client, url, score="3", comment=SPOOFS)
    response, task = Response.objects.get(), OutreachTask.objects.get()
    assert response.comment == SPOOFS
    client.force_login(manager, backend="django.contrib.auth.backends.ModelBackend")
    for path in (f"response/{response.pk}/change/", f"outreachtask/{task.pk}/change/"):
        page = client.get(f"/admin/surveys/{path}").text
        assert not UNSEEN & set(page), path
        assert "gnp.[U+202E]gpj [U+2066]a[U+2069] pass[U+200B]word[U+FEFF]" in page, path
        assert re.search(r"<bdi[^>]*>gnp", page), path


# Headers


STRANGE = [
    {"Accept-Language": ",".join(f"x{n};q=0.{n}" for n in range(50_000))},
    {"Accept-Language": "de" * 50_000},
    {"Accept-Language": "\ufffd\x00;q=nonsense"},
    {"Accept": "x" * 10_000},
    {"Accept": "*/*;q=nonsense"},
    {"User-Agent": "\x1b[31m\r\n" + "x" * 100_000},
    {"X-Forwarded-For": "x" * 10_000},
    {"X-Request-ID": "a\nb" * 1_000},
    {"Range": "bytes=0-"},
    {"Sec-Fetch-Mode": "\0", "Sec-CH-UA": "\0"},
]


def test_strange_headers_do_no_harm(client, url):
    for headers in STRANGE:
        page = client.get(url, headers=headers)
        assert (page.status_code, page["Content-Language"]) == (200, "en"), next(iter(headers))
        assert client.get(f"/a/{UNKNOWN}", headers=headers).status_code == 404, next(iter(headers))
    assert nothing_is_stored()
