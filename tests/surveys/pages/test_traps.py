"""Each trap catches a machine, and its control shows that a person passes without noticing."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from surveys.loop import ask
from surveys.models import (
    Customer,
    Message,
    OutreachTask,
    Response,
    ResponseVersion,
    Sign,
    Visit,
    client_hash,
)
from surveys.pages import nonces, traps
from surveys.pages.nonces import Nonce
from tests.bench.forms import forms_of
from tests.surveys.pages.pressing import BROWSER, add, press, seen

pytestmark = pytest.mark.django_db(transaction=True)
CHROMIUM = {"Sec-CH-UA": '"Chromium";v="131"', "Sec-Fetch-Mode": "navigate"}
BY_HAND = CHROMIUM | {"Sec-Fetch-User": "?1"}
AGAIN = "Please press once more"


def caught(page) -> list[str]:
    """The signs by which the page's sender was caught; none: it was not."""
    response = Response.objects.get()
    assert (AGAIN in page.text) == (response.verdict == "machine")
    assert Response.objects.counted().exists() == (response.verdict == "person")
    tasks = OutreachTask.objects.exists(), Message.objects.filter(kind="task_opened").exists()
    assert tasks == (response.verdict == "person",) * 2
    return response.signs


def test_a_person_is_not_caught(client, url):
    """The control of all that follow."""
    assert caught(press(client, url, score="3", headers=BY_HAND)) == []


@pytest.mark.parametrize(("seconds", "signs"), [(0.9, ["too_fast"]), (1.1, [])])
def test_a_press_within_a_second(client, url, seconds, signs):
    assert caught(press(client, url, score="3", seconds=seconds)) == signs


def test_a_filled_hidden_field(client, url):
    assert caught(press(client, url, score="3", homepage="http://x.example")) == ["hidden_field"]


def test_the_decoy_form(client, url):
    assert caught(press(client, url, score="3", form=nonces.DECOY)) == ["decoy"]


def test_a_button_that_a_script_pressed(client, url):
    assert caught(press(client, url, score="3", headers=CHROMIUM)) == ["scripted"]


def test_the_hidden_link_itself(client, url):
    assert client.get(url + "/all").status_code == 200
    assert caught(press(client, url + "/all", score="3")) == ["hidden_link"]


@pytest.mark.parametrize(
    ("ago", "address", "signs"),
    [
        (timedelta(seconds=110), "198.51.100.7", ["hidden_link"]),
        (timedelta(hours=23), "127.0.0.1", ["hidden_link"]),
        (timedelta(seconds=130), "198.51.100.7", []),
        (timedelta(hours=25), "127.0.0.1", []),
    ],
)
def test_whoever_followed_the_hidden_link_before(client, url, invitation, ago, address, signs):
    at, who = timezone.now() - ago, client_hash(address)
    Visit.objects.create(invitation=invitation, at=at, what="hidden_link", client=who)
    assert caught(press(client, url, score="3")) == signs


def walk(client, customers, nps, **headers):
    """Open the link of each customer's; the page that the press of the last one leads to."""
    asked = ask.invite(nps, customers, "test:2", timezone.now())
    for one in asked:
        client.get(f"/a/{one.token()}")
    return press(client, f"/a/{asked[-1].token()}", score="3", headers=headers)


@pytest.fixture
def office(account):
    return [Customer.objects.create(account=account, email=f"c{n}@x.example") for n in range(4)]


@pytest.mark.parametrize(
    "second", [{"User-Agent": "python-requests/2.32"}, {"User-Agent": ""}, {"Accept-Language": ""}]
)
def test_a_walk_by_what_looks_like_a_program(client, nps, office, second):
    assert caught(walk(client, office[:3], nps, **second)) == ["walker"]


def test_the_links_of_one_mail_are_no_walk(client, nps, office):
    """Whoever wants to be out reads, opts out and deletes, perhaps in an odd browser."""
    odd = {"User-Agent": "", "Accept-Language": ""}
    [asked] = ask.invite(nps, office[:1], "test:2", timezone.now())
    links = [f"/a/{asked.token()}", f"/u/{asked.token('unsubscribe')}"]
    links += [f"/p/{asked.token('privacy')}{page}" for page in ("", "/delete")]
    for link in [*links, links[0].upper().replace("/A/", "/a/")]:
        assert client.get(link, headers=odd).status_code == 200
    pages = [press(client, link, headers=odd, score="3").text for link in (links[0], links[1])]
    assert ["Please press once more" in page for page in pages] == [False, False]


@pytest.mark.parametrize(("path", "purpose"), [("/u/", "unsubscribe"), ("/p/", "privacy")])
def test_opt_outs_and_deletions_of_many_mails_are_a_walk(client, nps, office, path, purpose):
    """The control."""
    odd = {"User-Agent": "", "Accept-Language": ""}
    asked = ask.invite(nps, office, "test:2", timezone.now())
    ways = [path + one.token(purpose) + ("/delete" if path == "/p/" else "") for one in asked]
    pages = [press(client, way, headers=odd).text for way in ways]
    assert ["Please press once more" in page for page in pages] == [False, False, True, True]


def test_an_office_behind_one_address_is_no_machine(client, nps, office):
    assert caught(walk(client, office, nps)) == []


def test_what_looks_like_a_program_and_walks_nowhere_is_none(client, nps, office):
    assert caught(walk(client, office[:2], nps, **{"User-Agent": "python-requests/2.32"})) == []


def test_a_hurried_press_is_a_second_signal(now):
    nonce = Nonce(nonces.FORM, now - timedelta(seconds=2))
    assert traps.signs_of_press(nonce, {}, BROWSER, 3, now) == [Sign.WALKER]
    assert traps.signs_of_press(nonce, {}, BROWSER, 2, now) == []
    unhurried = Nonce(nonces.FORM, now - timedelta(seconds=4))
    assert traps.signs_of_press(unhurried, {}, BROWSER, 3, now) == []


def test_who_was_in_a_trap_before_is_caught_by_a_clean_press_as_well(client, url):
    press(client, url, score="3", form=nonces.DECOY)
    assert caught(press(client, url, score="3")) == ["caught_before"]


def test_two_scores_before_a_page_was_read(client, url):
    press(client, url, score="3", seconds=0.5)
    page = press(client, url, score="9", seconds=1.5)
    assert caught(page) == ["two_scores"]


def test_three_scores_within_two_minutes(client, url):
    for score in "12":
        assert AGAIN not in press(client, url, score=score).text
    assert AGAIN in press(client, url, score="3").text
    assert Response.objects.get().signs == ["many_scores"]
    assert OutreachTask.objects.get().state == "withdrawn"


def again(page: str, seconds: float, url: str, **more) -> dict:
    """What the visible form of the second page sends, that long after it was seen."""
    [form] = [form for form in forms_of(page) if form.is_seen]
    return form.values | {"nonce": seen(url, nonces.AGAIN, seconds)} | more


@pytest.mark.parametrize(
    ("pressed", "seconds", "linked", "verdict"),
    [
        ([0, 1], 5, 2, "machine"),
        ([0], 5, 2, "person"),  # the page after a corrected answer
        ([0, 1], 5, 1, "person"),
        ([0, 1], 130, 2, "person"),
    ],
)
def test_a_machine_that_presses_behind_the_link_of_each_score(
    client, url, invitation, pressed, seconds, linked, verdict
):
    """The first press was the answer, and the page after it is what the other links lead to."""
    press(client, f"{url}?score=0", score="0")
    then = timezone.now() - timedelta(seconds=seconds)
    for score in pressed:
        Visit.objects.create(invitation=invitation, what="pressed", at=then, score=score)
    page = add(client, f"{url}?score={linked}")
    response, task = Response.objects.get(), OutreachTask.objects.get()
    assert (response.verdict, AGAIN in page.text) == (verdict, verdict == "machine")
    assert response.signs == ([Sign.MANY_SCORES] if verdict == "machine" else [])
    assert task.state == ("withdrawn" if verdict == "machine" else "open")


def test_whoever_is_caught_presses_once_more_and_counts(client, url):
    page = press(client, url, score="3", seconds=0.5)
    page = client.post(url, again(page.text, 2.1, url))
    assert caught(page) == []
    assert Response.objects.get().score == 3
    assert 'name="comment"' in page.text


@pytest.mark.parametrize(
    ("seconds", "more", "signs"),
    [(1.9, {}, ["too_fast"]), (5, {"homepage": "x"}, ["hidden_field"])],
)
def test_the_second_page_has_traps_of_its_own(client, url, seconds, more, signs):
    page = press(client, url, score="3", seconds=0.5)
    page = client.post(url, again(page.text, seconds, url, **more))
    assert caught(page) == signs


def test_even_three_scores_count_when_pressed_once_more(client, url):
    for score in "123":
        page = press(client, url, score=score)
    client.post(url, again(page.text, 3, url))
    assert Response.objects.counted().get().score == 3
    assert OutreachTask.objects.get().state == "open"


def test_the_button_of_the_second_page_is_not_the_first_of_it(client, url):
    page = press(client, url, score="3", seconds=0.5)
    decoy, form = forms_of(page.text)
    assert (decoy.is_seen, form.is_seen) == (False, True)
    values = decoy.values | {"nonce": seen(url, nonces.DECOY)}
    assert AGAIN in client.post(url, values).text
    assert not Response.objects.counted().exists()


def test_on_each_page_the_decoy_comes_first_and_sends_another_nonce(client, url):
    for page in (client.get(url), press(client, url, score="3"), client.get(url + "?change")):
        decoy, form = forms_of(page.text)
        assert (decoy.is_seen, form.is_seen) == (False, True)
        assert decoy.values["nonce"] != form.values["nonce"]
        assert form.values["homepage"] == ""
        assert re.search(r"<form method=\"post\" hidden inert>", page.text)


def test_what_a_machine_adds_waits_for_the_second_press(client, url):
    press(client, url, score="9")
    page = add(client, url, comment="Great.", contact="phone", contact_time="At 4", seconds=0.5)
    assert AGAIN in page.text
    assert Response.objects.get().comment == ""
    assert not OutreachTask.objects.exists()
    page = client.post(url, again(page.text, 3, url))
    assert "Thank you. We read every answer." in page.text
    given = Response.objects.get()
    assert (given.comment, given.contact_wish) == ("Great.", "By phone: “At 4”")


def test_a_machine_takes_nothing_from_a_person(client, url):
    press(client, url, score="2")
    assert AGAIN in press(client, url, score="10", form=nonces.DECOY).text
    assert Response.objects.counted().get().score == 2
    assert OutreachTask.objects.get().state == "open"
    assert 'name="comment"' in client.get(url).text  # the person's answer goes on


def test_a_person_after_a_machine_is_asked_as_if_nothing_had_happened(client, url):
    press(client, url, score="10", form=nonces.DECOY)
    Visit.objects.all().delete()
    ResponseVersion.objects.all().delete()  # as if it had been days ago
    assert 'name="score" value="3"' in client.get(url).text
    assert caught(press(client, url, score="3")) == []
