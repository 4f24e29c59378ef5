from datetime import timedelta

import pytest
from django.utils import timezone

from surveys.loop import answer, ask, close, confirm, reach_out
from surveys.models import Confirmation, OutreachTask, Visit
from surveys.pages import nonces
from tests.surveys.pages.pressing import BROWSER, press, seen

pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1)


@pytest.fixture
def question(nps, customer, alice, root_cause):
    """Asked just now about a task that was closed yesterday."""
    then = timezone.now() - 2 * DAY
    task = answer.give(ask.invite(nps, [customer], "event:1", then)[0], 2, "Late.", then)[0].task
    reach_out.log_contact(task, alice, "phone", "spoke", "", then)
    close.close(task, alice, root_cause, "recovered", "Sent a new one.", then)
    confirm.ask(timezone.now())
    return Confirmation.objects.get()


@pytest.fixture
def url(question):
    return f"/c/{question.token}"


def word():
    said = Confirmation.objects.get()
    return said.got_back, said.helped, said.comment


def state():
    return OutreachTask.objects.get().state


@pytest.mark.parametrize("method", ["get", "head"])
def test_looking_says_nothing(client, url, method, django_assert_max_num_queries):
    with django_assert_max_num_queries(4):  # with the two of a read-only transaction
        page = getattr(client, method)(f"{url}?got_back=no")
    assert (page.status_code, page.cookies, word(), state()) == (200, {}, ("", "", ""), "closed")


def test_the_link_of_the_mail_has_chosen_already(client, url):
    assert 'value="no" required checked' in client.get(f"{url}?got_back=no").text
    assert " checked" not in client.get(f"{url}?got_back=nonsense").text


def test_a_yes_is_kept(client, url):
    page = press(client, url, got_back="yes", helped="partly", comment="Fine now.")
    assert "Your answer has arrived" in page.text
    assert (word(), state()) == (("yes", "partly", "Fine now."), "closed")


def test_a_no_opens_the_task_again(client, url):
    page = press(client, url, got_back="no", comment="Nobody.")
    assert "Your case is open again" in page.text
    assert (word(), state()) == (("no", "", "Nobody."), "open")


def test_pressing_twice_shows_the_same_page(client, url):
    pages = [press(client, url, got_back="no").text for _ in range(2)]
    assert pages[0] == pages[1] == client.get(url).text
    assert OutreachTask.objects.get().version == 4


def test_a_second_word_does_not_replace_the_first(client, url):
    press(client, url, got_back="yes", helped="yes")
    press(client, url, got_back="no")
    assert (word(), state()) == (("yes", "yes", ""), "closed")


@pytest.mark.parametrize(
    "said", [{}, {"got_back": "maybe"}, {"got_back": "yes", "helped": "9"},
             {"got_back": "yes", "comment": "x" * 2_001}, {"got_back": "yes", "comment": "\0"}],
)  # fmt: skip
def test_what_cannot_be_said_is_shown_again(client, url, said):
    assert press(client, url, **said).status_code == 422
    assert word() == ("", "", "")


@pytest.mark.parametrize(
    "how",
    [
        {"form": nonces.DECOY},
        {"seconds": 0.2},
        {"homepage": "x"},
        {"headers": {"Sec-CH-UA": "Chromium", "Sec-Fetch-Mode": "navigate"}},
    ],
)
def test_a_machine_is_asked_to_press_once_more(client, url, how):
    page = press(client, url, got_back="no", **how)
    assert "Please press once more" in page.text
    assert (word(), state()) == (("", "", ""), "closed")
    assert press(client, url, form=nonces.AGAIN, got_back="no").status_code == 200
    assert state() == "open"


def test_a_form_without_its_nonce_says_nothing(client, url):
    assert client.post(url, {"got_back": "no"}, headers=BROWSER).status_code == 200
    stranger = seen("/c/aaaaaaaaaaaaaaaaaaaaaaaaaa")
    client.post(url, {"got_back": "no", "nonce": stranger}, headers=BROWSER)
    assert word() == ("", "", "")


def test_links_that_lead_nowhere_look_alike(client, url, question):
    unknown = client.get("/c/aaaaaaaaaaaaaaaaaaaaaaaaaa")
    of_another_page = client.get(f"/c/{question.task.response.invitation.token()}")
    Confirmation.objects.update(asked_at=timezone.now() - 30 * DAY)
    pages = [unknown, of_another_page, client.get(url), press(client, url, got_back="no")]
    assert {(page.status_code, page.content) for page in pages} == {(404, unknown.content)}


def test_what_was_said_stays_to_be_seen(client, url):
    press(client, url, got_back="yes")
    Confirmation.objects.update(asked_at=timezone.now() - 90 * DAY)
    assert "Your answer has arrived" in client.get(url).text


def test_it_is_asked_in_the_language_of_the_invitation(client, url, question):
    invitation = question.task.response.invitation
    invitation.language = "de"
    invitation.save()
    assert "Hat sich jemand bei Ihnen gemeldet?" in client.get(url).text


def test_nothing_else_is_loaded_or_kept(client, url):
    page = client.get(url)
    assert page["Cache-Control"] == "no-store"
    assert "script-src" not in page["Content-Security-Policy"]
    assert not Visit.objects.exists()
