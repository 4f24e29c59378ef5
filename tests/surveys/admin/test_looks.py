from datetime import UTC, datetime, timedelta

import pytest

from surveys.admin import looks
from surveys.models import OutreachTask, Response

START = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)


def unsaved(**fields) -> OutreachTask:
    return OutreachTask(started_at=START, due_at=START + timedelta(hours=72), **fields)


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(hours=5, minutes=20), "5 h 20 min"),
        (timedelta(days=1, hours=3, minutes=59), "1 d 3 h"),
        (timedelta(days=2), "2 d"),
        (timedelta(minutes=-7), "7 min"),
        (timedelta(seconds=30), "0 min"),
        (timedelta(days=1, minutes=5), "1 d"),
    ],
)
def test_a_span_names_its_two_largest_units(length, words):
    assert looks.span(length) == words


@pytest.mark.parametrize(
    ("hours", "tone", "words"),
    [
        (0, "green", "in 3 d"),
        (48, "green", "in 1 d"),
        (48.5, "amber", "in 23 h 30 min"),
        (72, "amber", "in 0 min"),
        (99, "red", "overdue 1 d 3 h"),
    ],
)
def test_urgency_turns_at_24_hours_and_at_0(hours, tone, words):
    assert looks.urgency(unsaved(), START + timedelta(hours=hours)) == (tone, words)


@pytest.mark.parametrize(
    ("hours", "said"),
    [
        (20, ("green", "reached after 20 h")),
        (72, ("red", "reached late, 3 d")),
        (80, ("red", "reached late, 3 d 8 h")),
    ],
)
def test_a_reached_customer_is_in_time_or_late_whatever_the_clock_says_now(hours, said):
    task = unsaved(first_contact_at=START + timedelta(hours=hours))
    assert looks.urgency(task, START + timedelta(days=9)) == said


def test_what_a_customer_wrote_stays_text_and_keeps_its_direction():
    said = looks.first_words('<script>alert("1")</script>')
    assert said == (
        '<bdi class="voc-words">&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;</bdi>'
    )


def test_a_score_comes_with_its_scale_and_band():
    said = looks.score(Response(kind="ces", score=3, band="detractor"))
    assert "<b>3</b> of 7 <small>Detractor</small>" in said
    assert looks.score(Response(kind="nps", score=None)) == "–"


def test_money_is_grouped(settings):
    settings.CURRENCY = "EUR"
    assert looks.money(1_234_567) == '<span class="voc-number">EUR 1,234,567</span>'
