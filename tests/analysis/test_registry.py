from types import SimpleNamespace

import pytest

from analysis import registry
from analysis.models import Mention, Theme
from tests.analysis.rows import answer, at
from tests.conftest import survey_of

NOW = at("2026-03-10 09:00")


def group(*sizes) -> dict[int, int]:
    """Comments 1, 2, 3, ... in themes of these sizes, the first theme is 0."""
    labels = [theme for theme, size in enumerate(sizes) for _ in range(size)]
    return dict(enumerate(labels, start=1))


def renumbered(labels, numbers) -> dict[int, int]:
    return {comment: numbers[label] for comment, label in labels.items()}


def test_the_same_themes_in_another_order_are_recognised():
    before = renumbered(group(5, 3, 4), [70, 80, 90])
    after = renumbered(group(5, 3, 4), [2, 0, 1])
    assert registry.match(before, after) == {2: 70, 0: 80, 1: 90}


def test_half_of_the_comments_in_common_is_enough_and_less_is_not():
    before = dict.fromkeys(range(0, 10), 70) | dict.fromkeys(range(10, 100), 80)
    half = dict.fromkeys(range(5, 15), 0) | dict.fromkeys([*range(0, 5), *range(15, 100)], 1)
    assert registry.match(before, half) == {0: 70, 1: 80}
    less = dict.fromkeys(range(6, 16), 0) | dict.fromkeys([*range(0, 6), *range(16, 100)], 1)
    assert registry.match(before, less) == {1: 80}


def test_the_whole_pairing_counts_not_the_first_fit():
    before = {1: 70, 2: 70, 3: 70, 4: 80, 5: 80}
    after = {1: 0, 2: 0, 3: 1, 4: 1, 5: 1}
    assert registry.match(before, after) == {0: 70, 1: 80}


def test_new_comments_do_not_hide_a_theme():
    before = renumbered(group(4, 4), [70, 80])
    grown = group(4, 4) | dict.fromkeys(range(100, 200), 0)
    assert registry.match(before, grown) == {0: 70, 1: 80}


@pytest.mark.parametrize(
    ("before", "after"), [({}, {}), ({1: 70}, {}), ({}, {1: 0}), ({1: 7}, {2: 0})]
)
def test_without_comments_in_common_nothing_is_recognised(before, after):
    assert registry.match(before, after) == {}


def found(label, *keywords):
    return SimpleNamespace(label=label, keywords=list(keywords))


def settle(survey, themes, members):
    """Settle, and write the mentions as learning would; `members` are lists of answers."""
    main = {row.pk: number for number, rows in enumerate(members) for row in rows}
    settled = registry.settle(survey, themes, main, NOW)
    Mention.objects.all().delete()
    Mention.objects.bulk_create(
        Mention(theme=settled[number], response=row, confidence=1, is_main=True)
        for number, rows in enumerate(members)
        for row in rows
    )
    return settled


@pytest.fixture
def answers(nps):
    return [answer(nps, NOW, comment=f"Comment {number}") for number in range(12)]


def test_a_recognised_theme_keeps_its_id_and_the_label_a_person_gave_it(nps, answers):
    late, rude = settle(nps, [found("Late", "van"), found("Rude")], [answers[:6], answers[6:]])
    Theme.objects.filter(pk=late.pk).update(label="Deliveries that come late")
    again = settle(nps, [found("Rude staff"), found("Van late", "day")], [answers[6:], answers[:6]])
    assert [theme.pk for theme in again] == [rude.pk, late.pk]
    assert [theme.label for theme in again] == ["Rude", "Deliveries that come late"]
    assert Theme.objects.get(pk=late.pk).keywords == ["day"]


def test_what_is_not_found_again_retires_and_what_is_new_is_born(nps, answers):
    old, kept = settle(nps, [found("Old"), found("Kept")], [answers[:4], answers[4:8]])
    again = settle(nps, [found("New"), found("Kept")], [answers[8:], answers[4:8]])
    assert again[1] == kept
    assert list(Theme.objects.living()) == sorted(again, key=lambda theme: theme.label)
    assert Theme.objects.get(pk=old.pk).retired_at == NOW
    assert again[0].born_at == NOW


def test_two_living_themes_never_share_a_label(nps, answers):
    themes = [found("Price", "high"), found("price", "rise"), found("Price", "rise"), found("")]
    settled = settle(nps, themes, [answers[:3], answers[3:6], answers[6:9], answers[9:]])
    assert [theme.label for theme in settled] == ["Price", "price (rise)", "Price (2)", "Unnamed"]


def test_another_surveys_themes_are_left_alone(nps, answers):
    other = survey_of("csat", name="Other")
    theme = Theme.objects.create(survey=other, label="Price", born_at=NOW)
    settle(nps, [found("Price")], [answers])
    theme.refresh_from_db()
    assert theme.retired_at is None
