from datetime import timedelta

import pytest

from surveys.loop.suspect import signs_of_history, standing
from surveys.models import ResponseVersion, Sign

TOO_FAST, DECOY = [Sign.TOO_FAST], [Sign.DECOY]


@pytest.fixture
def press(now):
    def press(seconds_ago: float, score: int, signs=(), verdict="") -> ResponseVersion:
        return ResponseVersion(
            score=score,
            signs=list(signs),
            verdict=verdict or ("machine" if signs else "person"),
            recorded_at=now - timedelta(seconds=seconds_ago),
        )

    return press


def test_the_first_press_has_no_history(now):
    assert signs_of_history([], 5, now - timedelta(seconds=1), now) == []


def test_two_scores_before_a_page_was_read_are_a_machines(press, now):
    opened = now - timedelta(seconds=1.5)
    assert signs_of_history([press(1, 3, TOO_FAST)], 7, opened, now) == [Sign.TWO_SCORES]


@pytest.mark.parametrize(
    ("score", "first_signs", "opened_seconds_ago"),
    [
        (3, TOO_FAST, 1.5),  # the same score
        (7, (), 1.5),  # the first press came after a second
        (7, TOO_FAST, 0.9),  # the page was opened after the first press
    ],
)
def test_otherwise_they_are_a_change_of_mind(press, now, score, first_signs, opened_seconds_ago):
    opened = now - timedelta(seconds=opened_seconds_ago)
    assert signs_of_history([press(1, 3, first_signs)], score, opened, now) == []


def test_three_scores_within_two_minutes_are_a_machines(press, now):
    assert signs_of_history([press(120, 1), press(60, 2)], 3, None, now) == [Sign.MANY_SCORES]


@pytest.mark.parametrize(("seconds_ago", "score"), [(121, 3), (120, 2)])
def test_but_not_when_older_or_the_same(press, now, seconds_ago, score):
    assert signs_of_history([press(seconds_ago, 1), press(60, 2)], score, None, now) == []


def test_who_was_in_a_trap_a_minute_ago_is_still_suspected(press, now):
    trapped = [press(119, 1, DECOY)]
    assert signs_of_history(trapped, 1, None, now) == [Sign.CAUGHT_BEFORE]
    assert signs_of_history([press(121, 1, DECOY)], 1, None, now) == []
    assert signs_of_history([press(119, 1, TOO_FAST)], 1, None, now) == []
    confirmed = [*trapped, press(100, 1)]
    assert signs_of_history(confirmed, 1, None, now) == []


def test_what_stands_is_the_last_a_person_said_before_the_burst(press, now):
    old, older = press(121, 2), press(999, 1)
    assert standing([older, old, press(60, 3), press(1, 4)], now) is old
    assert standing([older, press(121, 2, DECOY), press(1, 4)], now) is older
    assert standing([press(60, 3)], now) is None
