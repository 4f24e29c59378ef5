from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from surveys.delivery import send
from surveys.loop import ask
from surveys.models import AuditEntry, Message, Suppression, Visit, client_hash
from surveys.pages import nonces
from tests.bench.forms import forms_of
from tests.surveys.pages.pressing import press, seen

pytestmark = pytest.mark.django_db(transaction=True)
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def url(invitation):
    return f"/u/{invitation.token('unsubscribe')}"


def decisions(survey, customer):
    asked = ask.invite(survey, [customer], "test:2", timezone.now())
    return [invitation.decision for invitation in asked]


def test_looking_at_the_page_unsubscribes_nobody(client, url):
    assert "No more surveys?" in client.get(url).text
    assert not Suppression.objects.exists()


def test_the_confirmed_form_stops_this_survey(client, url, nps, customer):
    page = press(client, url, scope="survey")
    assert "We will not send you the survey “Relationship” again." in page.text
    assert Suppression.objects.get().family == nps.family
    assert decisions(nps, customer) == ["suppressed"]


def test_all_surveys_can_be_stopped(client, url, nps, customer, invitation):
    press(client, url, scope="all")
    assert Suppression.objects.get().family is None
    assert decisions(nps, customer) == ["suppressed"]


def test_the_one_click_post_of_a_mail_program_is_honoured(client, url, nps):
    page = client.post(url, {"List-Unsubscribe": "One-Click"})
    assert (page.status_code, page.cookies) == (200, {})
    assert Suppression.objects.get().family == nps.family


def test_twice_is_once(client, url):
    for _ in range(2):
        assert client.post(url, {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert Suppression.objects.count() == 1


def test_a_form_without_its_nonce_is_shown_again(client, url):
    assert "No more surveys?" in client.post(url, {"scope": "all"}).text
    assert not Suppression.objects.exists()


def test_one_click_works_years_later_and_whatever_the_case(client, url, invitation, nps):
    invitation.expires_at = timezone.now() - timedelta(days=2_000)
    invitation.save()
    assert client.post(url.upper().replace("/U/", "/u/"), ONE_CLICK).status_code == 200
    assert Suppression.objects.get().family == nps.family


def test_it_needs_no_cookie_and_leads_nowhere_else(url):
    page = Client(enforce_csrf_checks=True).post(url, ONE_CLICK)
    assert (page.status_code, page.cookies, page.headers.get("Location")) == (200, {}, None)


@pytest.mark.parametrize("body", [{}, {"List-Unsubscribe": "Two-Clicks"}, {"scope": "all"}])
def test_any_other_post_unsubscribes_nobody(client, url, body):
    client.post(url, body)
    assert not Suppression.objects.exists()


@pytest.mark.parametrize("method", ["get", "head"])
def test_fetching_the_link_like_a_scanner_unsubscribes_nobody(client, url, method):
    fetch = getattr(client, method)
    assert fetch(url, ONE_CLICK).status_code == 200
    assert not Suppression.objects.exists()


def test_nothing_that_waits_is_sent_after_it(client, url, mail_server):
    client.post(url, ONE_CLICK)
    assert send.drain(timezone.now) == 0
    assert Message.objects.get().state == "cancelled"


def test_without_it_the_mail_would_have_been_sent(invitation, mail_server):
    """The control."""
    assert send.drain(timezone.now) == 1


def reason():
    return AuditEntry.objects.get(verb="suppress").reason


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (59, "Suspicious: one click within 60 s of the mail, perhaps by a machine. Honoured."),
        (61, "Unsubscribed by one click in the mail program."),
    ],
)
@pytest.mark.parametrize("accepted", ["sent_at", "handed_at"])
def test_a_machine_that_tries_every_link_is_honoured_and_noted(
    client, url, seconds, said, accepted
):
    Message.objects.update(**{accepted: timezone.now() - timedelta(seconds=seconds)})
    client.post(url, ONE_CLICK)
    assert (Suppression.objects.count(), reason()) == (1, said)


def test_the_form_is_pressed_by_people_however_soon_after_the_mail(client, url):
    Message.objects.update(sent_at=timezone.now())
    press(client, url, scope="survey")
    assert reason() == "Unsubscribed by the form."


@pytest.mark.parametrize(
    "machine",
    [
        {"seconds": 0.5},
        {"form": nonces.DECOY},
        {"homepage": "x"},
        {"headers": {"Sec-CH-UA": "x", "Sec-Fetch-Mode": "navigate"}},
    ],
)
def test_a_machine_leaves_only_after_pressing_once_more(client, url, machine):
    page = press(client, url, scope="all", **machine)
    assert "Please press once more" in page.text
    assert not Suppression.objects.exists()
    decoy, form = forms_of(page.text)
    assert (decoy.is_seen, form.is_seen) == (False, True)
    once_more = {**form.values, "nonce": seen(url, nonces.AGAIN, 1.9)}
    assert "Please press once more" in client.post(url, once_more).text
    once_more["nonce"] = seen(url, nonces.AGAIN, 2.1)
    assert "You are unsubscribed" in client.post(url, once_more).text
    assert Suppression.objects.get().family is None


def test_a_person_leaves_at_once(client, url):
    """The control."""
    assert "You are unsubscribed" in press(client, url, scope="all").text


def test_a_page_that_was_open_for_a_day_is_shown_again(client, url):
    assert "No more surveys?" in press(client, url, scope="all", seconds=24 * 3600 + 1).text
    assert not Suppression.objects.exists()


def test_an_address_that_was_erased_has_nothing_to_stop(client, url, customer):
    customer.email = None
    customer.save()
    assert client.post(url, ONE_CLICK).status_code == 404
    assert not Suppression.objects.exists()


def test_the_link_of_an_answer_unsubscribes_nobody(client, invitation):
    page = client.post(f"/u/{invitation.token()}", {"List-Unsubscribe": "One-Click"})
    assert page.status_code == 404
    assert not Suppression.objects.exists()


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
def test_a_machine_in_the_traps_of_the_other_links_has_to_press_once_more(
    client, url, invitation, what, minutes, address, is_caught
):
    then = timezone.now() - timedelta(minutes=minutes)
    Visit.objects.create(invitation=invitation, what=what, at=then, client=client_hash(address))
    page = press(client, url, scope="all")
    assert ("Press once more" in page.text, Suppression.objects.exists()) == (
        is_caught,
        not is_caught,
    )
    press(client, url, form=nonces.AGAIN, scope="all")
    assert Suppression.objects.exists()
