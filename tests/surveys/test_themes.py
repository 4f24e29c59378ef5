"""The inner loop shows themes without knowing who finds them."""

from analysis.models import Mention, Theme
from surveys import themes
from tests.analysis.rows import answer


def test_the_main_theme_of_each_answer_in_one_query(nps, now, django_assert_num_queries):
    late = Theme.objects.create(survey=nps, label="Late parcels", born_at=now)
    rude = Theme.objects.create(survey=nps, label="Rude drivers", born_at=now)
    both, unread = (answer(nps, now, 2, "It never came.") for _ in range(2))
    Mention.objects.create(response=both, theme=late, confidence=0.9, is_main=True)
    Mention.objects.create(response=both, theme=rude, confidence=0.4, is_main=False)
    with django_assert_num_queries(1):
        assert themes.main_themes([both.pk, unread.pk]) == {both.pk: "Late parcels"}


def test_nobody_is_asked_about_nothing(django_assert_num_queries, db):
    with django_assert_num_queries(0):
        assert themes.main_themes([]) == {}


def test_without_a_source_there_are_none_and_each_is_asked_once(monkeypatch):
    asked = []

    def source(answers):
        asked.append(list(answers))
        return {1: "Late parcels"}

    monkeypatch.setattr(themes, "_sources", [])
    assert themes.main_themes([1]) == {}
    themes.known_by(source)
    themes.known_by(source)
    assert themes.main_themes([1, 2]) == {1: "Late parcels"}
    assert asked == [[1, 2]]
