from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from analysis.months import Month, within

MARCH = Month(2026, 3)


@pytest.fixture
def berlin(settings):
    settings.TIME_ZONE = "Europe/Berlin"
    timezone.get_default_timezone.cache_clear()
    yield
    timezone.get_default_timezone.cache_clear()


def test_a_month_is_written_and_read_alike():
    assert str(MARCH) == "2026-03"
    assert Month.parse("2026-03") == MARCH


@pytest.mark.parametrize(
    "text", ["", "2026", "2026-13", "2026-00", "26-03", "1999-12", "٢٠٢٦-٠٣", "2026-03\n", "9" * 99]
)
def test_anything_else_is_refused(text):
    with pytest.raises(ValueError, match="write it as 2026-03"):
        Month.parse(text)


def test_counting_goes_over_the_turn_of_the_year():
    assert MARCH.plus(-3) == Month(2025, 12)
    assert MARCH.plus(10) == Month(2027, 1)
    assert [str(month) for month in MARCH.last(4)] == ["2025-12", "2026-01", "2026-02", "2026-03"]


def test_a_month_begins_and_ends_by_the_clocks_of_the_company(berlin):
    assert MARCH.first_day == date(2026, 3, 1)
    assert MARCH.start == datetime(2026, 2, 28, 23, tzinfo=UTC)  # winter time
    assert MARCH.end == datetime(2026, 3, 31, 22, tzinfo=UTC)  # summer time
    assert Month.of(MARCH.end) == Month(2026, 4)
    assert Month.of(datetime(2026, 3, 31, 21, 59, tzinfo=UTC)) == MARCH


def test_the_readers_own_time_zone_moves_no_month(berlin):
    with timezone.override(ZoneInfo("Pacific/Auckland")):
        assert MARCH.start == datetime(2026, 2, 28, 23, tzinfo=UTC)
        assert Month.of(datetime(2026, 3, 31, 21, 59, tzinfo=UTC)) == MARCH


def test_within_spans_all_months():
    assert within("answered_at", [MARCH.plus(-1), MARCH]) == {
        "answered_at__gte": datetime(2026, 2, 1, tzinfo=UTC),
        "answered_at__lt": datetime(2026, 4, 1, tzinfo=UTC),
    }
