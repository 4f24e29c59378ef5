import pytest

from analysis.measures.impact import impact
from analysis.measures.scores import Score, measure, share
from analysis.models import Mention, Reading, Theme, ThemeState
from analysis.months import Month
from analysis.themes_report import (
    Coverage,
    newest_month_with_comments,
    surveys_by_comments,
    themes,
)
from surveys.models import Kind, Response
from tests.analysis.rows import answer, at
from tests.conftest import survey_of

MARCH, FEBRUARY = Month(2026, 3), Month(2026, 2)
DAY, BEFORE = at("2026-03-05 09:00"), at("2026-02-05 09:00")
QUERIES = 6


def theme(survey, label="Late"):
    return Theme.objects.create(survey=survey, label=label, keywords=["van"], born_at=BEFORE)


def read(response, *raised, says_nothing=False) -> Response:
    """As learning would leave it; the first theme is the main one."""
    Reading.objects.create(response=response, digest="-", says_nothing=says_nothing)
    for place, one in enumerate(raised):
        Mention.objects.create(theme=one, response=response, confidence=0.5, is_main=place == 0)
    return response


def comments(survey, count, *raised, when=DAY, score=None, **fields) -> None:
    for number in range(count):
        comment = f"A comment that came with number {number}"
        read(answer(survey, when, score, comment=comment, **fields), *raised)


def test_what_became_of_every_comment(nps):
    late, rude = theme(nps), theme(nps, "Rude")
    comments(nps, 3, late)
    comments(nps, 2, late, rude)
    comments(nps, 1)
    read(answer(nps, DAY, comment="n/a"), says_nothing=True)
    answer(nps, DAY, comment="Not read yet")
    answer(nps, DAY, 9)
    comments(nps, 1, late, verdict=Response.Verdict.MACHINE)
    coverage = themes(nps, MARCH).coverage
    assert coverage == Coverage(
        comments=8, with_theme=5, without_theme=1, say_nothing=1, not_yet_read=1
    )
    assert coverage.telling == 6
    assert coverage.share == share(5, 6)


def test_a_theme_has_its_share_score_impact_and_change(nps):
    late, fine = theme(nps), theme(nps, "Fine")
    comments(nps, 10, late, score=2)
    comments(nps, 2, late)  # without a score: in the share, in no score
    comments(nps, 28, fine, score=10)
    for _ in range(12):
        answer(nps, DAY, 8)  # without a comment: in the score of the month alone
    comments(nps, 2, late, when=BEFORE)
    comments(nps, 38, fine, when=BEFORE)
    found = themes(nps, MARCH)
    first, second = found.themes
    assert (first.theme, first.count, second.theme, second.count) == (fine, 28, late, 12)
    assert second.share == share(12, 40)
    assert second.score == measure("nps", (0, 0, 10))
    assert found.score == measure("nps", (28, 12, 10))
    assert second.impact == impact(second.score, found.score) == pytest.approx(36 - 70)
    assert second.change.value == pytest.approx(12 / 40 - 2 / 40)
    assert not second.change.is_noise
    assert second.quotes.newest.text.startswith("A comment that came")


def test_themes_read_anonymous_comments_and_say_how_many(nps):
    late = theme(nps)
    comments(nps, 2, late, score=2)
    comments(nps, 3, late, score=2, source=Response.Source.ANONYMOUS)
    answer(nps, DAY, source=Response.Source.ANONYMOUS)
    found = themes(nps, MARCH)
    assert (found.themes[0].count, found.score.n, found.anonymous) == (5, 5, 3)


def test_few_answers_show_their_number_and_no_figure(nps):
    late = theme(nps)
    comments(nps, 9, late, score=2)
    (row,) = themes(nps, MARCH).themes
    assert (row.count, row.score) == (9, Score(None, None, None, 9))
    assert row.share == Score(None, None, None, 9)
    assert (row.impact, row.change) == (None, None)


def test_the_impact_does_not_tell_the_few_others_apart(nps):
    late = theme(nps)
    comments(nps, 30, late, score=2)
    for _ in range(9):
        answer(nps, DAY, 10)
    assert themes(nps, MARCH).themes[0].impact is None
    answer(nps, DAY, 10)
    assert themes(nps, MARCH).themes[0].impact == pytest.approx(-50 - 100)


def test_a_theme_that_fell_silent_is_still_shown_and_a_retired_one_is_not(nps):
    late, old = theme(nps), theme(nps, "Old")
    comments(nps, 20, late, when=BEFORE)
    comments(nps, 20, old, when=BEFORE)
    comments(nps, 20)
    Theme.objects.filter(pk=old.pk).update(retired_at=DAY)
    (row,) = themes(nps, MARCH).themes
    assert (row.theme, row.count, row.share.value) == (late, 0, 0)
    assert row.change.value == pytest.approx(-0.5)
    assert row.quotes.typical == ()


def test_another_survey_is_another_report(nps):
    other = survey_of(Kind.CSAT, name="Support")
    comments(nps, 3, theme(nps))
    comments(other, 12, theme(other, "Slow"), score=4)
    found = themes(other, MARCH)
    assert [row.theme.label for row in found.themes] == ["Slow"]
    assert found.themes[0].score == measure("csat", (12, 0, 0))
    assert themes(nps, MARCH).coverage.comments == 3


def test_without_a_fit_the_report_is_empty_and_says_so(nps):
    found = themes(nps, MARCH)
    assert (found.fitted_at, found.themes, found.coverage) == (None, (), Coverage())


def test_the_first_choice_is_the_survey_with_most_comments_in_its_newest_month(nps):
    other = survey_of(Kind.CSAT, name="Support")
    assert list(surveys_by_comments()) == [nps, other]
    state = {"state": {}, "arrays": b"", "theme_ids": [], "fitted_at": DAY}
    ThemeState.objects.create(survey=other, comments=5, **state)
    assert list(surveys_by_comments()) == [other, nps]
    assert newest_month_with_comments(nps, DAY) == MARCH
    answer(nps, BEFORE, comment="Late")
    answer(nps, DAY, 9)
    assert newest_month_with_comments(nps, DAY) == FEBRUARY


@pytest.mark.parametrize("count", [1, 3])
def test_queries_do_not_grow_with_themes_comments_or_months(count, nps, django_assert_num_queries):
    for number in range(count):
        one = theme(nps, f"Theme {number}")
        comments(nps, count, one)
        comments(nps, count, one, when=BEFORE)
    with django_assert_num_queries(QUERIES):
        assert len(themes(nps, MARCH).themes) == count
