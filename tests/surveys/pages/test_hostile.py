"""What was made to hurt the customers' pages: links, scores, texts and headers. Whatever would be a
500 raises in these tests, and fails them; unless a test says otherwise, nothing is stored."""

import re
from urllib.parse import urlencode, urljoin, urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.translation import trans_real

from surveys.loop import ask, asked
from surveys.models import (
    Customer,
    OutreachTask,
    Response,
    ResponseVersion,
    Sign,
    Suppression,
)
from surveys.models.invitations import token_digest
from surveys.pages import clients, nonces
from tests.bench.forms import forms_of, seen_form
from tests.surveys.pages.pressing import press, seen

pytestmark = pytest.mark.django_db(transaction=True)  # a page's READ ONLY needs a real transaction
UNKNOWN = "a" * 26


@pytest.fixture(autouse=True)
def _nobody_was_here():
    clients.walks.forget()
    clients.guesses.forget()


def nothing_is_stored() -> bool:
    tables = (Response, ResponseVersion, OutreachTask, Suppression)
    return not any(model.objects.exists() for model in tables)


def headings(page: str) -> tuple[str, ...]:
    return tuple(re.findall(r"<h1>([^<]+)</h1>", page))


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


PAGES = {"/a/": "answer", "/u/": "unsubscribe", "/p/": "privacy"}


def test_a_guess_that_begins_well_is_looked_up_like_any_other(client, invitation, monkeypatch):
    """By the digest of the whole, which says nothing of how much of it was right: how long it takes
    cannot either."""
    asked_for = []
    find = asked.first_row
    monkeypatch.setattr(
        asked, "first_row", lambda sql, values: asked_for.append((sql, values)) or find(sql, values)
    )
    for path, purpose in PAGES.items():
        token = invitation.token(purpose)
        guesses = [token[:n] + UNKNOWN[n:] for n in (25, 20, 13, 1)] + [UNKNOWN, "z" * 26]
        assert token not in guesses
        statements = []
        for guess in guesses:
            digest = token_digest(guess)
            with CaptureQueriesContext(connection) as queries:
                assert client.get(path + guess).status_code == 404
            said = [query["sql"] or "prepared" for query in queries]
            hexed = digest.hex()
            assert purpose == "answer" or any(hexed in one for one in said)
            assert not any(guess in one for one in said)
            statements.append([one.replace(hexed, "?") for one in said])
        assert statements == [statements[0]] * len(guesses)
    digests = [values.pop("digest") for _, values in asked_for]
    assert len(set(digests)) == 6
    assert {len(digest) for digest in digests} == {32}
    assert len({sql for sql, _ in asked_for}) == 1
    assert not any(UNKNOWN[:9] in str(values) for _, values in asked_for)


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
            said = {"nonce": seen(url), "score": "9", name: target}
            for reply in (client.get(way), client.post(way, said)):
                assert (reply.status_code, "Location" in reply) == (200, False)
                assert not re.search(r"evil\.example|alert\(1\)", reply.text)
                assert {form.action for form in forms_of(reply.text)} <= {"", url}


def own_address(location: str) -> bool:
    """Where a browser goes from the log-in (WHATWG URL, 4.4): for it `\\` is `/` and three slashes
    are two, and it drops tabs and line ends."""
    there = re.sub(r"[\t\r\n]", "", location).replace("\\", "/").strip()
    there = re.sub("^//+", "//", there)
    return urlsplit(urljoin("http://testserver/admin/login/", there))[:2] == ("http", "testserver")


@pytest.mark.parametrize(
    "target",
    [
        *ELSEWHERE,
        "/\\evil.example",
        "///evil.example",
        "/\t/evil.example",
        "https:evil.example",
        "data:text/html,x",
        "//testserver@evil.example",
        " //evil.example",
    ],
)
def test_a_log_in_leads_nowhere_else(client, administrator, target):
    administrator.set_password("a-long-password")
    administrator.save()
    said = {"username": administrator.email, "password": "a-long-password", "next": target}
    query = urlencode({"next": target})
    for way in (f"/admin/login/?{query}", "/admin/login/"):
        client.logout()
        assert "evil.example" not in re.findall(r'action="([^"]*)"', client.get(way).text)
        reply = client.post(way, said)
        assert reply.status_code == 302  # logged in
        assert own_address(reply["Location"]), reply["Location"]
    assert not own_address(target)  # the control: a browser would have gone there


def test_a_log_in_leads_to_the_page_of_ours_that_was_asked_for(client, administrator):
    """The control."""
    administrator.set_password("a-long-password")
    administrator.save()
    said = {"username": administrator.email, "password": "a-long-password"}
    reply = client.post("/admin/login/?next=/admin/surveys/response/", said)
    assert (reply.status_code, reply["Location"]) == (302, "/admin/surveys/response/")


# Scores


SCORES = ["true", "5.5", "[5]", "-1", "11", "+5", " 5", "5 ", "05e0", "0x5", "1e400", "NaN", "five",
          "٥", "५", "５", "³", "9" * 5_000, "5\0", "5,6", "None", ""]  # fmt: skip


def test_what_is_no_score_is_refused_next_to_the_scores(client, url):
    for score in SCORES:
        page = press(client, url, score=score)
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
    assert press(client, url, score="5").status_code == 200
    assert Response.objects.get().score == 5


def test_of_two_scores_in_one_form_one_counts(client, url):
    client.post(url, {"nonce": seen(url), "score": ["11", "4"]})
    assert list(ResponseVersion.objects.values_list("score", flat=True)) == [4]


# Forms


def test_a_replayed_form_shows_the_same_page_and_stores_nothing_more(client, url):
    said = {"nonce": seen(url), "score": "3"}
    pages = [client.post(url, said) for _ in range(3)]
    assert [page.status_code for page in pages] == [200] * 3
    assert len({headings(page.text) for page in pages}) == 1
    assert (Response.objects.count(), ResponseVersion.objects.count()) == (1, 1)
    assert OutreachTask.objects.count() == 1


def test_the_nonce_of_another_link_opens_nothing(client, url, nps, account):
    other = Customer.objects.create(account=account, email="other@lakeside.example")
    [foreign] = ask.invite(nps, [other], "test:1", timezone.now())
    page = client.post(url, {"nonce": seen(f"/a/{foreign.token()}"), "score": "3"})
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
    page = client.post(url, {"nonce": seen(url, seconds=0.1), "score": "3"})
    assert (page.status_code, headings(page.text)) == (200, ("Please press once more",))
    kept = Response.objects.get()
    assert (kept.verdict, kept.signs, kept.score) == ("machine", [Sign.TOO_FAST], 3)
    assert not OutreachTask.objects.exists()

    again = seen_form(page.text).values | {"nonce": seen(url, nonces.AGAIN, 2.1)}
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


def test_of_a_long_list_of_languages_only_the_beginning_is_read(client, url, monkeypatch):
    """The cut comes before the parsing: what takes long is never looked at."""
    parsed = []
    parse = trans_real._parse_accept_lang_header
    monkeypatch.setattr(
        trans_real, "_parse_accept_lang_header", lambda text: parsed.append(text) or parse(text)
    )
    many = ",".join(f"x{n};q=0.{n}" for n in range(50_000))
    for header in (f"de,{many}", "de," * 50_000, "de-" * 50_000, "de"):
        assert client.get(url, headers={"Accept-Language": header}).status_code == 200
    assert [len(text) <= trans_real.LANGUAGE_CODE_MAX_LENGTH for text in parsed] == [True] * len(
        parsed
    )
    assert parsed[-1] == "de"  # the control: what is short is read whole
    assert len(parsed) >= 3
    assert trans_real.LANGUAGE_CODE_MAX_LENGTH == 500


def test_strange_headers_do_no_harm(client, url):
    for headers in STRANGE:
        page = client.get(url, headers=headers)
        assert (page.status_code, page["Content-Language"]) == (200, "en"), next(iter(headers))
        assert client.get(f"/a/{UNKNOWN}", headers=headers).status_code == 404, next(iter(headers))
    assert nothing_is_stored()
