"""From the text of one cell to a value; BadCell says in a sentence what to write instead."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from surveys.models.domains import in_ascii

YES = {"yes", "y", "true", "1", "x", "ja", "oui", "si", "sí"}
NO = {"no", "n", "false", "0", "nein", "non"}
OLDEST, NEWEST = date(1990, 1, 1), date(2100, 1, 1)
MOST_MONEY = Decimal("999999999999.99")

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,6})?")
_COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)
_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_SLASHED = re.compile(r"(\d{4})/(\d{1,2})/(\d{1,2})")
_SCORE = re.compile(r"-?[0-9]{1,9}(\.0+)?")
_MONEY = re.compile(r"[0-9]+(\.[0-9]{1,2})?")


class BadCell(ValueError):
    """The cell does not hold what its column needs."""


def words(text: str, longest: int) -> str:
    """One line of text: line breaks, tabs and runs of spaces become one space, and control
    characters go."""
    line = _CONTROL.sub("", " ".join(text.split()))
    if len(line) > longest:
        raise BadCell(f"Longer than {longest} characters.")
    return line


def email(text: str) -> str:
    """Lower case, the domain in ASCII (RFC 5891), at most 254 characters (RFC 5321)."""
    local, at, domain = text.strip().lower().rpartition("@")
    try:
        address = f"{local}{at}{in_ascii(domain)}"
        validate_email(address)
    except (ValueError, ValidationError) as error:
        raise BadCell(f"“{text.strip()[:60]}” is not an e-mail address.") from error
    if len(address) > 254:
        raise BadCell("An e-mail address has at most 254 characters.")
    return address


def language(text: str) -> str:
    code = text.strip().lower().replace("_", "-")
    if not _LANGUAGE.fullmatch(code):
        raise BadCell(f"“{text.strip()[:40]}” is not a language. Write a code such as en or pt-br.")
    return code


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def time_zone(text: str) -> str:
    if text.strip() not in _zones():
        raise BadCell(
            f"“{text.strip()[:40]}” is not a time zone. Write a name such as Europe/Berlin."
        )
    return text.strip()


def country(text: str) -> str:
    """ISO 3166, two letters; upper case."""
    code = text.strip().upper()
    if not _COUNTRY.fullmatch(code):
        raise BadCell(f"“{text.strip()[:40]}” is not a country. Write two letters such as DE.")
    return code


def yes_or_no(text: str) -> bool:
    answer = text.strip().casefold()
    if answer in YES | NO:
        return answer in YES
    raise BadCell(f"“{text.strip()[:40]}” is neither yes nor no.")


def money(text: str) -> Decimal:
    """“1200.50”, “1.200,50”, “€ 1,200”: the last comma or dot splits off the cents, unless three
    digits follow it."""
    digits = re.sub(r"[\s\u00a0\u202f'’€$£]|^[A-Z]{3}|[A-Z]{3}$", "", text.strip())
    whole, mark, rest = _last_mark(digits)
    if mark and len(rest) != 3:
        digits = f"{re.sub('[.,]', '', whole)}.{rest}"
    else:
        digits = re.sub("[.,]", "", digits)
    if not _MONEY.fullmatch(digits):
        raise BadCell(f"“{text.strip()[:40]}” is not an amount of money such as 1200.50.")
    if (amount := Decimal(digits)) > MOST_MONEY:
        raise BadCell("More than 999,999,999,999.99.")
    return amount


def _last_mark(digits: str) -> tuple[str, str, str]:
    mark = max(digits.rfind("."), digits.rfind(","))
    return (digits[:mark], digits[mark], digits[mark + 1 :]) if mark >= 0 else (digits, "", "")


def day(text: str) -> date:
    return moment(text, UTC).date()


def moment(text: str, zone: ZoneInfo | type[UTC]) -> datetime:
    """An aware UTC datetime from ISO 8601, 31.12.2026 or 2026/12/31; noon in `zone` without a time,
    and the clock of `zone` without an offset."""
    written = text.strip().removesuffix(" UTC") + (
        "+00:00" if text.strip().endswith(" UTC") else ""
    )
    try:
        value = _parsed(written)
        aware = value if value.tzinfo else value.replace(tzinfo=zone)
        utc = aware.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadCell(f"“{text.strip()[:40]}” is not a date. Write it as 2026-12-31.") from error
    if not OLDEST <= utc.date() < NEWEST:
        raise BadCell(f"The year {utc.year} cannot be right.")
    return utc


def _parsed(written: str) -> datetime:
    if match := _DOTTED.fullmatch(written):
        day_of_month, month, year = (int(part) for part in match.groups())
        return datetime.combine(date(year, month, day_of_month), time(12))
    if match := _SLASHED.fullmatch(written):
        return datetime.combine(date(*(int(part) for part in match.groups())), time(12))
    if len(written) <= 10:
        return datetime.combine(date.fromisoformat(written), time(12))
    return datetime.fromisoformat(written)


def score(text: str, scale: range) -> int:
    """A whole number on the survey's own scale; “9.0” is 9, as spreadsheets write it."""
    written = text.strip()
    if not _SCORE.fullmatch(written):
        raise BadCell(f"“{written[:40]}” is not a whole number.")
    value = int(written.partition(".")[0])
    if value not in scale:
        raise BadCell(f"{value} is not on the scale from {scale[0]} to {scale[-1]}.")
    return value
