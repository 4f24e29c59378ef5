"""When a mail may come: hours of the customer's own clock, on working days of their own country.

Pure: instants in, instants out, all aware and in UTC; no Django in here.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from itertools import count
from typing import NamedTuple
from zoneinfo import ZoneInfo

import holidays

STEP = timedelta(minutes=15)  # every zone's offset is a whole number of these (IANA, since 1972)
SATURDAY = 5
CACHED = 50_000


class Window(NamedTuple):
    """From the full hour `opens` (0-23) to just before the full hour `closes` (1-24)."""

    opens: int
    closes: int
    working_days_only: bool


class Place(NamedTuple):
    """Where somebody's clock and calendar hang. `country` is ISO 3166, two letters, or empty."""

    zone: str
    country: str = ""


ALWAYS = Window(0, 24, working_days_only=False)


def is_working_day(day: date, country: str = "") -> bool:
    """Neither weekend nor public holiday there; Monday to Friday where the country is not known.

    Calendars: the `holidays` library. Weekends differ (Friday and Saturday in Saudi Arabia).
    """
    calendar = _calendar(country)
    return day.weekday() < SATURDAY if calendar is None else calendar.is_working_day(day)


def is_open(at: datetime, window: Window, place: Place) -> bool:
    local = at.astimezone(ZoneInfo(place.zone))
    if not window.opens <= local.hour < window.closes:
        return False
    return not window.working_days_only or is_working_day(local.date(), place.country)


def next_opening(at: datetime, window: Window, place: Place) -> datetime:
    """The first instant from `at` on at which the window is open for somebody in that place."""
    if is_open(at, window, place):
        return at
    return _from_quarter(at - (at - datetime.min.replace(tzinfo=UTC)) % STEP, window, place)


def on_day(number: int, start: datetime, window: Window, place: Place) -> datetime:
    """When the window opens on the day `number` (0 is the first) of those on which it does.

    Day 0 is the first that is open from `start` on, and later than its opening if `start` is.
    """
    days = _days(start, window, place)
    while len(days) <= number:
        tomorrow = days[-1].astimezone(ZoneInfo(place.zone)).date() + timedelta(days=1)
        days.append(next_opening(midnight(tomorrow, place.zone), window, place))
    return days[number]


def midnight(day: date, zone: str) -> datetime:
    """The instant at which that day begins there."""
    return datetime.combine(day, time.min, ZoneInfo(zone)).astimezone(UTC)


@lru_cache(maxsize=CACHED)
def _from_quarter(at: datetime, window: Window, place: Place) -> datetime:
    quarters = (at + step * STEP for step in count(1))
    return next(quarter for quarter in quarters if is_open(quarter, window, place))


@lru_cache(maxsize=CACHED)
def _days(start: datetime, window: Window, place: Place) -> list[datetime]:
    """The openings found so far; `on_day` adds to them, so that each is looked for once."""
    return [next_opening(start, window, place)]


@cache
def _calendar(country: str) -> holidays.HolidayBase | None:
    """None for a country that the library does not know."""
    try:
        return holidays.country_holidays(country) if country else None
    except NotImplementedError:
        return None
