"""What the reports keep, and what they lose, when a customer is forgotten."""

from datetime import timedelta

import pytest

from analysis import learn
from analysis.fold import fold_all
from analysis.measures.closure import Closure
from analysis.models import Mention, Reading, Theme
from analysis.quotes import quotes
from analysis.report import Filters, figures
from surveys.loop.forget import forget
from surveys.models import Customer, Response
from tests.analysis.rows import answer, asked, at, detractor
from tests.analysis.test_learn import TOPICS, write

NOW = at("2026-03-20 09:00")


def gave(survey, customer, comment) -> Response:
    invitation = asked(survey, customer, NOW)
    return answer(survey, NOW, 3, comment, invitation=invitation, customer=customer)


@pytest.fixture
def read(nps, customer) -> Response:
    """A comment that was read, raises a theme, and is its newest quote."""
    response = gave(nps, customer, "The flugelhorn came late")
    theme = Theme.objects.create(survey=nps, label="Late", born_at=NOW)
    Reading.objects.create(response=response, digest="0" * 32, says_nothing=False)
    Mention.objects.create(response=response, theme=theme, confidence=1, is_main=True)
    return response


def test_its_themes_and_quotes_go_with_the_comment(read, customer):
    [quoted] = quotes(Mention.objects.all()).values()
    assert quoted.newest.text == "The flugelhorn came late"  # the control
    forget(customer, None, "", NOW)
    assert quotes(Mention.objects.all()) == {}
    assert (Mention.objects.count(), Reading.objects.count()) == (0, 0)


def test_other_changes_of_an_answer_leave_them(read):
    Response.objects.update(comment="The flugelhorn came very late", score=2)
    Response.objects.filter(comment="").update(comment="")
    assert (Mention.objects.count(), Reading.objects.count()) == (1, 1)


def test_a_run_that_had_read_the_comment_before_is_made_up_for_by_the_next(nps, customer):
    for topic in TOPICS:
        write(nps, topic)
    response = gave(nps, customer, "The parcel came late")
    learn.refit(nps, NOW)
    forget(customer, None, "", NOW)
    Reading.objects.create(response=response, digest="0" * 32, says_nothing=True)
    learn.assign_new(nps, NOW + timedelta(days=1))
    assert not Reading.objects.filter(response=response).exists()


@pytest.mark.parametrize("contacted", [None, 2, 80])
def test_hits_and_misses_are_what_they_were(nps, contacted):
    """Forgetting a customer whom nobody called must not flatter the rate."""
    detractor(nps, at("2026-03-10 09:00"), contacted)
    fold_all()
    before = figures(Filters(), NOW)
    forget(Customer.objects.get(), None, "", NOW)
    fold_all()
    after = figures(Filters(), NOW)
    assert after.chosen.closure == before.chosen.closure
    assert after.chosen.closure.n == 1
    assert after.chosen.surveys == before.chosen.surveys
    assert after.chosen.response_rate == before.chosen.response_rate


def test_a_customer_whom_nobody_had_to_have_called_yet_stands_apart(nps):
    detractor(nps, NOW - timedelta(hours=3))
    forget(Customer.objects.get(), None, "", NOW)
    fold_all()
    assert figures(Filters(), NOW).chosen.closure == Closure(withdrawn=1)
