from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as some

from surveys.loop.windows import (
    ALWAYS,
    Place,
    Window,
    is_open,
    is_working_day,
    midnight,
    next_opening,
    on_day,
)

OFFICE = Window(8, 20, working_days_only=True)
BERLIN, NEW_YORK = Place("Europe/Berlin", "DE"), Place("America/New_York", "US")
COUNTRIES = ["", "DE", "US", "SA", "AE", "IL", "JP", "BR", "IN", "XX"]
ZONES = sorted(zone for zone in available_timezones() if "/" in zone)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


windows = some.builds(
    lambda hours, strict: Window(min(hours), max(hours) + 1, strict),
    some.tuples(some.integers(0, 23), some.integers(0, 23)),
    some.booleans(),
)
places = some.builds(Place, some.sampled_from(ZONES), some.sampled_from(COUNTRIES))
instants = some.integers(0, 10 * 366 * 24 * 60).map(
    lambda minutes: utc("2020-01-01") + timedelta(minutes=minutes)
)


@settings(deadline=None)
@given(instants, windows, places)
@example(utc("2026-03-29T00:30"), Window(2, 3, False), BERLIN)  # an hour that day lacks
@example(utc("2026-10-25T00:30"), Window(2, 3, False), BERLIN)  # an hour that day has twice
@example(utc("2026-03-08T06:59"), Window(2, 3, False), NEW_YORK)
@example(utc("2026-11-01T05:00"), Window(1, 2, True), NEW_YORK)
@example(utc("2026-10-03T15:00"), Window(2, 3, False), Place("Australia/Lord_Howe"))  # by half
def test_the_next_opening_is_open_not_before_and_nothing_open_is_between(at, window, place):
    opening = next_opening(at, window, place)
    local = opening.astimezone(ZoneInfo(place.zone))
    assert opening >= at
    assert window.opens <= local.hour < window.closes
    assert is_working_day(local.date(), place.country) or not window.working_days_only
    minutes = min(int((opening - at).total_seconds() // 60), 3 * 24 * 60)
    between = [opening - timedelta(minutes=n) for n in range(1, minutes + 1, 7)]
    assert not [one for one in between if one >= at and is_open(one, window, place)]


@settings(deadline=None)
@given(instants, windows, places, some.integers(1, 12))
def test_each_day_opens_on_a_later_local_day(start, window, place, number):
    days = [
        on_day(n, start, window, place).astimezone(ZoneInfo(place.zone)).date()
        for n in (number - 1, number)
    ]
    assert days[0] < days[1]
    skipped = (days[0] + timedelta(days=n) for n in range(1, (days[1] - days[0]).days))
    assert not any(
        is_open(midnight(day, place.zone) + timedelta(hours=hour), window, place)
        for day in skipped
        for hour in range(23)
        if (midnight(day, place.zone) + timedelta(hours=hour))
        .astimezone(ZoneInfo(place.zone))
        .date()
        == day
    )


@pytest.mark.parametrize(
    ("at", "opening"),
    [
        ("2026-03-10T07:00", "2026-03-10T07:00"),  # 08:00 in Berlin: just open
        ("2026-03-10T06:59", "2026-03-10T07:00"),
        ("2026-03-10T18:59", "2026-03-10T18:59"),  # 19:59
        ("2026-03-10T19:00", "2026-03-11T07:00"),  # 20:00: just closed
        ("2026-03-13T19:00", "2026-03-16T07:00"),  # a Friday evening
        ("2026-03-27T20:00", "2026-03-30T06:00"),  # over the change to summer time
        ("2026-10-23T20:00", "2026-10-26T07:00"),  # and back
        ("2026-12-24T21:00", "2026-12-28T07:00"),  # Christmas, and a weekend
        ("2026-04-02T20:00", "2026-04-07T06:00"),  # Easter
    ],
)
def test_office_hours_in_berlin(at, opening):
    assert next_opening(utc(at), OFFICE, BERLIN) == utc(opening)


def test_seconds_are_kept_while_it_is_open_and_dropped_at_an_opening():
    inside, early = utc("2026-03-10T10:11:12.5"), utc("2026-03-10T05:11:12.5")
    assert next_opening(inside, OFFICE, BERLIN) == inside
    assert next_opening(early, OFFICE, BERLIN) == utc("2026-03-10T07:00")


def test_an_hour_that_a_day_lacks_is_offered_the_day_after():
    opening = next_opening(utc("2026-03-29T00:30"), Window(2, 3, False), BERLIN)
    assert opening == utc("2026-03-30T00:00")


@pytest.mark.parametrize(
    ("day", "country", "works"),
    [
        ("2026-03-13", "", True), ("2026-03-14", "", False), ("2026-12-25", "", True),
        ("2026-12-25", "DE", False), ("2026-12-25", "SA", False), ("2026-12-27", "SA", True),
        ("2026-07-03", "US", False), ("2026-07-03", "GB", True), ("2026-12-25", "XX", True),
    ],
)  # fmt: skip
def test_weekends_and_holidays_are_those_of_the_country(day, country, works):
    assert is_working_day(date.fromisoformat(day), country) is works


def test_a_wave_is_spread_over_working_days():
    friday = utc("2026-03-13T12:00")
    days = [on_day(n, friday, OFFICE, BERLIN) for n in range(4)]
    assert days == [
        friday,
        utc("2026-03-16T07:00"),
        utc("2026-03-17T07:00"),
        utc("2026-03-18T07:00"),
    ]


def test_a_year_of_days_is_counted_to_its_end():
    last = on_day(365, utc("2026-01-01T00:00"), ALWAYS, Place("UTC"))
    assert last == utc("2027-01-01T00:00")


def test_a_launch_after_hours_counts_from_the_next_working_day():
    friday_night = utc("2026-03-13T21:00")
    days = [on_day(n, friday_night, OFFICE, BERLIN).date() for n in range(2)]
    assert days == [date(2026, 3, 16), date(2026, 3, 17)]
