"""Each page speaks one language: the invitation's, and the browser's where there is none."""

import re
from datetime import date, timedelta

import pytest
from django.conf import settings
from django.utils import timezone, translation
from django.utils.formats import date_format

from surveys.admin.default_words import default_wording
from surveys.loop import answer, ask
from surveys.models import Invitation
from surveys.pages import about
from surveys.pages.about import kept_until
from tests.surveys.pages.pressing import press

pytestmark = pytest.mark.django_db(transaction=True)  # a page's READ ONLY needs a real transaction

LANGUAGES = [language for language, _ in settings.LANGUAGES]
NOWHERE = "/a/" + "a" * 26


@pytest.fixture
def invited(nps, customer):
    """Asks the customer in a language that the survey has words in."""

    def in_language(language: str) -> Invitation:
        nps.wordings.all().delete()
        default_wording(nps, language).save()
        customer.language = language
        customer.save()
        return ask.invite(nps, [customer], "test:1", timezone.now())[0]

    return in_language


def way(invitation: Invitation) -> str:
    return f"/a/{invitation.token()}"


def shown(page) -> tuple[str, str]:
    """Language and direction of the page."""
    return re.search(r'<html lang="([\w-]+)" dir="(\w+)">', page.text).groups()


def direction(language: str) -> str:
    return "rtl" if language == "ar" else "ltr"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_without_an_invitation_speaks_the_browsers_language(client, language):
    page = client.get(NOWHERE, headers={"Accept-Language": f"xx, {language};q=0.8, en;q=0.2"})
    assert shown(page) == (language, direction(language))
    with translation.override(language):
        assert translation.gettext("This link does not lead to a survey") in page.text


@pytest.mark.parametrize(
    ("accepted", "language"),
    [("", "en"), ("xx", "en"), ("pt-BR", "pt"), ("de-CH,fr;q=0.9", "de"), ("*", "en")],
)
def test_of_what_the_browser_accepts_the_nearest_is_spoken(client, accepted, language):
    assert shown(client.get(NOWHERE, headers={"Accept-Language": accepted}))[0] == language


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_of_an_invitation_speaks_its_language_whatever_the_browsers(
    client, invited, language
):
    invitation = invited(language)
    other = "de" if language == "en" else "en"
    page = client.get(way(invitation), headers={"Accept-Language": other})
    assert shown(page) == (language, direction(language))
    day = kept_until(timezone.now())
    with translation.override(language):
        assert translation.gettext("Send my answer") in page.text
        assert date_format(day, "DATE_FORMAT") in page.text
    refused = client.post(way(invitation), {"nonce": nonce_in(page)})
    assert (refused.status_code, shown(refused)[0]) == (422, language)
    with translation.override(language):
        assert translation.gettext("Please choose a score.") in refused.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_scores_are_in_the_digits_in_which_they_are_typed(client, invited, language):
    """Western ones everywhere, also in Arabic: what is shown is what the form takes."""
    url = way(invited(language))
    page = client.get(url)
    assert re.findall(r'name="score" value="(\d+)"[^>]*><span>(\d+)', page.text) == [
        (str(score), str(score)) for score in range(11)
    ]
    with translation.override(language):
        chosen = translation.gettext("You chose %(score)s.") % {"score": "10"}
    assert chosen in press(client, url, score="10").text
    for text in (page.text, client.get(url).text):
        assert [sign for sign in text if sign.isdecimal() and not sign.isascii()] == []


DAYS = {
    "en": "March 9, 2028",
    "de": "9. März 2028",
    "fr": "9 mars 2028",
    "es": "9 de marzo de 2028",
    "pt": "9 de Março de 2028",
    "it": "09 Marzo 2028",
    "nl": "9 maart 2028",
    "pl": "9 marca 2028",
    "ja": "2028年3月9日",
    "ar": "9 مارس، 2028",
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_dates_are_written_as_the_language_writes_them(client, invited, language, monkeypatch):
    monkeypatch.setattr(about, "kept_until", lambda answered_at: date(2028, 3, 9))
    assert DAYS[language] in client.get(way(invited(language))).text


def nonce_in(page) -> str:
    """Of the form that is shown; the one before it is a decoy."""
    return re.findall(r'name="nonce" value="([^"]+)"', page.text)[-1]


def test_words_in_another_language_than_the_page_say_so(client, invited, nps, customer):
    invitation = invited("en")
    Invitation.objects.filter(pk=invitation.pk).update(language="ar")
    text = client.get(way(invitation)).text
    assert '<html lang="ar" dir="rtl">' in text
    assert '<h1 lang="en" dir="auto">How likely' in text
    answer.press(invitation, 3, timezone.now(), confirmed=True)
    assert (
        '<label class="label" for="comment" lang="en" dir="auto">'
        in client.get(way(invitation)).text
    )
    answer.add(invitation.response, answer.More(), timezone.now())
    assert '<p lang="en" dir="auto">We are sorry' in client.get(way(invitation)).text


def test_an_expired_link_speaks_the_browsers_language(client, invited):
    """It says no more than an unknown one."""
    invitation = invited("de")
    ended = timezone.now() - timedelta(days=1)
    Invitation.objects.filter(pk=invitation.pk).update(expires_at=ended)
    headers = {"Accept-Language": "ja"}
    assert (
        client.get(way(invitation), headers=headers).text
        == client.get(NOWHERE, headers=headers).text
    )
