"""Figures as people read them, with the numbers and dates of the active language."""

from __future__ import annotations

from django.utils.formats import date_format, number_format

from analysis.measures.change import answers_to_tell, change
from analysis.measures.closure import Closure
from analysis.measures.scores import Score
from analysis.months import Month
from surveys.models import Kind

NBSP, EN_DASH, MINUS = "\u00a0", "\u2013", "\u2212"
NONE = EN_DASH


def month_name(month: Month) -> str:
    """Such as: March 2026."""
    return date_format(month.first_day, "YEAR_MONTH_FORMAT")


def short_month(month: Month) -> str:
    """Such as: Mar 26, for the axis of a chart."""
    return date_format(month.first_day, "M y")


def number(n: int) -> str:
    return number_format(n, force_grouping=True)


def percent(share: float | None, decimals: int = 0) -> str:
    """A share of 0..1 in per cent, such as: 42 %; a dash where there is none."""
    if share is None:
        return NONE
    return f"{number_format(round(100 * share, decimals), decimals)}{NBSP}%"


def whole_percent(n: int) -> str:
    """Such as: 42 %, from 42."""
    return f"{number(n)}{NBSP}%"


def signed(value: float, decimals: int = 0) -> str:
    """Such as: +20, or 0 without a sign."""
    value = round(value, decimals)
    sign = "+" if value > 0 else MINUS if value < 0 else ""
    return sign + number_format(abs(value), decimals)


def span(low: float | None, high: float | None) -> str:
    """An interval of shares, such as: 77 to 96 % with a dash; empty where there is none."""
    if low is None or high is None:
        return ""
    return f"{round(100 * low)}{EN_DASH}{round(100 * high)}{NBSP}%"


def score(kind: str, figure: Score) -> str:
    """Such as: +20 for NPS, 81 % for CSAT and CES; a dash where n is too small."""
    if figure.value is None:
        return NONE
    return signed(figure.value) if kind == Kind.NPS else percent(figure.value)


def score_span(kind: str, figure: Score) -> str:
    """Such as: +3 to +37 for NPS, 70 to 88 % for CSAT and CES; empty where n is too small."""
    if figure.low is None or figure.high is None:
        return ""
    if kind == Kind.NPS:
        return f"{signed(figure.low)} to {signed(figure.high)}"
    return span(figure.low, figure.high)


def points(kind: str, value: float | None) -> str:
    """A change or an impact, in points of NPS or in points of per cent for CSAT and CES."""
    if value is None:
        return NONE
    return signed(value if kind == Kind.NPS else 100 * value, 1)


def moved(kind: str, now: Score, before: Score, since: str) -> str:
    """What a person would say of a change, such as: Down 6 since May, inside the noise of ±17;
    about 240 more answers would tell. Empty where there is nothing to compare."""
    found = change(now, before)
    if found is None:
        return ""
    points = found.value if kind == Kind.NPS else 100 * found.value
    noise = number_format(round(found.noise if kind == Kind.NPS else 100 * found.noise))
    unit = "" if kind == Kind.NPS else " point" if abs(round(points)) == 1 else " points"
    way = "Up" if round(points) > 0 else "Down" if round(points) < 0 else ""
    said = f"{way} {number_format(abs(round(points)))}{unit}" if way else "No change"
    if not found.is_noise:
        return f"{said} since {since}, more than the noise of ±{noise}."
    more = answers_to_tell(now, before)
    would_tell = f"; about {number(more)} more answers would tell" if more and way else ""
    return f"{said} since {since}, inside the noise of ±{noise}{would_tell}."


def closure(figure: Closure) -> str:
    """Such as: 37 of 41 (90 %, 77 to 96 %). Below ten elapsed tasks no percentage, only the
    counts and the interval."""
    if figure.interval is None:
        return "none due"
    counts = f"{number(figure.contacted_in_time)} of {number(figure.n)}"
    share = f"{whole_percent(figure.percent)}, " if figure.percent is not None else ""
    return f"{counts} ({share}{span(*figure.interval)})"


def rate(hits: int, figure: Score) -> str:
    """Such as: 120 of 300 (40 %, 35 to 46 %); a dash for 0 of 0."""
    if figure.value is None:
        return NONE
    share = f"{percent(figure.value)}, {span(figure.low, figure.high)}"
    return f"{number(hits)} of {number(figure.n)} ({share})"
