from datetime import timedelta

import pytest

from analysis.models import Mention, Theme
from analysis.quotes import CUT, Quotes, quotes, without_names
from surveys.models import Account, Customer
from tests.analysis.rows import answer, at

NOW = at("2026-03-10 09:00")


@pytest.fixture
def theme(nps):
    return Theme.objects.create(survey=nps, label="Late", born_at=NOW)


def mention(theme, comment, confidence=0.5, days_ago=0, **fields):
    response = answer(theme.survey, NOW - timedelta(days=days_ago), comment=comment, **fields)
    return Mention.objects.create(
        theme=theme, response=response, confidence=confidence, is_main=True
    )


def said(theme) -> tuple[list[str], str]:
    found = quotes(Mention.objects.all())[theme.pk]
    return [quote.text for quote in found.typical], found.newest.text


def test_the_three_that_fit_best_and_the_newest(theme):
    for number in range(5):
        mention(theme, f"The parcel came late, time {number}", number / 10, days_ago=5 - number)
    mention(theme, "Just now it was late again", 0.05)
    assert said(theme) == (
        [f"The parcel came late, time {number}" for number in (4, 3, 2)],
        "Just now it was late again",
    )


def test_what_is_too_short_or_too_long_is_quoted_last(theme):
    mention(theme, "late", 0.9, days_ago=1)
    mention(theme, "late " * 100, 0.9, days_ago=1)
    mention(theme, "The parcel came a week late", 0.1, days_ago=2)
    mention(theme, "This is the newest of them", 0.0)
    assert said(theme)[0] == ["The parcel came a week late", "late", "late " * 100]


def test_the_same_words_are_quoted_once(theme):
    for days in (3, 2):
        mention(theme, "The parcel came late", 0.9, days_ago=days)
    mention(theme, "the  PARCEL came late", 0.8, days_ago=1)
    mention(theme, "The parcel never came at all", 0.1)
    assert said(theme) == (["The parcel came late"], "The parcel never came at all")


def test_a_single_comment_is_the_newest_and_not_said_twice(theme):
    mention(theme, "The parcel came late")
    assert said(theme) == ([], "The parcel came late")
    assert quotes(Mention.objects.none()) == {}
    assert Quotes() == Quotes((), None)


def test_quotes_name_nobody(theme):
    customer = Customer.objects.create(
        name="Ines Okafor", account=Account.objects.create(name="The Till")
    )
    mention(
        theme,
        "Okafor of the till: The till is late, write to ines@till.example",
        customer=customer,
    )
    assert said(theme)[1] == "[name] of [name]: [name] is late, write to [e-mail]"


def test_an_accounts_name_goes_as_a_whole_only():
    comment = "The Tilling at the Till was slow"
    assert without_names(comment, None, "The Till") == "The Tilling at [name] was slow"
    assert without_names(comment, None, None) == comment


def test_a_huge_comment_is_cut(theme):
    mention(theme, "late and later " * 300)
    assert len(said(theme)[1]) == CUT


def test_markup_stays_text(theme):
    mention(theme, "<script>alert(1)</script> {{ 7|add:7 }}")
    assert said(theme)[1] == "<script>alert(1)</script> {{ 7|add:7 }}"


def test_one_query(theme, django_assert_num_queries):
    for number in range(3):
        mention(theme, f"The parcel came late, time {number}")
    with django_assert_num_queries(1):
        quotes(Mention.objects.all())
