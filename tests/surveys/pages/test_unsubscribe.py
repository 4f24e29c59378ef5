import re

import pytest
from django.utils import timezone

from surveys.loop import ask
from surveys.models import Suppression
from surveys.pages import public

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def invitation(nps, customer):
    return ask.invite(nps, [customer], "test:1", timezone.now())[0]


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
    nonce = re.search(r'name="nonce" value="([^"]+)"', client.get(url).text)[1]
    page = client.post(url, {"nonce": nonce, "scope": "survey"})
    assert "We will not send you the survey “Relationship” again." in page.text
    assert Suppression.objects.get().family == nps.family
    assert decisions(nps, customer) == ["suppressed"]


def test_all_surveys_can_be_stopped(client, url, nps, customer, invitation):
    client.post(url, {"nonce": public.nonce(url[3:]), "scope": "all"})
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


def test_the_link_of_an_answer_unsubscribes_nobody(client, invitation):
    page = client.post(f"/u/{invitation.token()}", {"List-Unsubscribe": "One-Click"})
    assert page.status_code == 404
    assert not Suppression.objects.exists()
