"""Taking personal data out of a comment before anyone but its account manager reads it.

Each pattern starts only where a run starts and has one way to match, so even a hostile comment
costs time in proportion to its length.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

EMAIL, PHONE, NUMBER, NAME, LINK = "[e-mail]", "[phone]", "[number]", "[name]", "[link]"

_LINK = re.compile(r"\b(?:https?://|www\.)[^\s<>\"]+", re.IGNORECASE)
_BARE_HOST = re.compile(r"(?:https?://)?[\w.-]+(?::\d+)?/?[.,;:!?)]*", re.IGNORECASE)
_EMAIL = re.compile(
    r"(?<![\w.+%'-])[\w.+%'-]+(?:@| ?[\[(]at[\])] ?)[\w-]+(?:\.[\w-]+)+", re.IGNORECASE
)
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]{1,4}){3,10}\b", re.IGNORECASE)
_CODE = re.compile(r"(?<![\w-])\w+(?:-\w+)*(?![\w-])")
_SPACE = r"[ \u00a0\u202f]"
_RUN = re.compile(
    rf"(?<!\w)(?:\+ ?|\(\+?)?\d(?:(?:\) ?| ?\(|{_SPACE}[-/]{_SPACE}|[-./]|{_SPACE})?\d)+(?!\w)"
)
_NAMED_NUMBER = re.compile(
    r"(?:\b(?:order|account|acct|invoice|ticket|case|customer|contract|booking|reference|ref|policy"
    r"|serial|member(?:ship)?|bestellung|auftrag|konto|kunden|rechnungs?|vertrags?|commande|compte"
    r"|facture|pedido|cuenta|factura|conta|fatura|ordine|conto|fattura|klant|rekening|factuur)"
    r"(?: ?(?:number|nummer|no\.?|nr\.?|num\.?|id|code))?(?: is)? ?[:#°]? ?|#)(\d{4,})\b",
    re.IGNORECASE,
)
_DATE = r"\d{1,2}[./-]\d{1,2}[./-](?:\d{4}|\d{2})|\d{4}[./-]\d{1,2}[./-]\d{1,2}"
_MOMENT = re.compile(rf"(?:{_DATE}|[012]?\d[.]\d\d|(?:19|20)\d\d(?:[-/](?:19|20)?\d\d)?)")
_AMOUNT = re.compile(rf"[1-9]\d{{0,2}}(?:(?:\.|{_SPACE})\d{{3}}){{1,3}}|[1-9]\d{{1,9}}")
_CURRENCY_BEFORE = re.compile(r"(?:[€$£¥]|\b(?:EUR|USD|GBP|CHF|Rs|R\$))\s?$", re.IGNORECASE)
_CURRENCY_AFTER = re.compile(
    r"(?:[.,]\d\d)?\s?(?:[€$£¥]|(?:EUR|USD|GBP|CHF|euros?|pounds?|dollars?)\b)", re.IGNORECASE
)
_REPEATED_NAME = re.compile(r"\[name\](?: \[name\])+")

_LONG_NUMBER = 7  # digits; shorter ones are years, prices, postcodes and counts
_LONG_CODE = 5  # digits within a word of letters and digits, as in ORD-12345


def redact(text: str, names: Iterable[str] = ()) -> str:
    """The text with marks in place of personal data: [e-mail], [phone], [number], [name], [link].

    Numbers are cards, IBANs, and order, account or other numbers of seven digits and more (four
    after a word such as "order"). Years, dates, times, amounts, ratings and counts stay. A link
    stays only where it is a bare host. `names` are the people concerned: the full name goes in any
    case, each part of it where it is capitalised. Redacting twice changes nothing more.
    """
    text = _LINK.sub(_redact_link, text)
    text = _EMAIL.sub(EMAIL, text)
    text = _IBAN.sub(_redact_iban, text)
    text = _NAMED_NUMBER.sub(_redact_named_number, text)
    text = _RUN.sub(_redact_run, text)
    text = _CODE.sub(_redact_code, text)
    return _redact_names(text, tuple(names))


def _redact_link(match: re.Match[str]) -> str:
    return match[0] if _BARE_HOST.fullmatch(match[0]) else LINK


def _redact_iban(match: re.Match[str]) -> str:
    """Replaces the longest start of the match that is an IBAN; words after it stay."""
    text = match[0]
    ends = [place.start() for place in re.finditer(r"[ -]|$", text)]
    for end in reversed(ends):
        if _is_iban(text[:end]):
            return NUMBER + text[end:]
    return text


def _is_iban(text: str) -> bool:
    """Length and check digits of ISO 13616 (modulo 97)."""
    compact = text.replace(" ", "").replace("-", "").upper()
    if not (15 <= len(compact) <= 34 and compact.isascii() and compact.isalnum()):
        return False
    turned = compact[4:] + compact[:4]
    return int("".join(str(int(sign, 36)) for sign in turned)) % 97 == 1


def _redact_named_number(match: re.Match[str]) -> str:
    number = match[1]
    return match[0][: -len(number)] + NUMBER


def _redact_run(match: re.Match[str]) -> str:
    """Decides what a run of digits and separators is."""
    run = match[0]
    digits = "".join(sign for sign in run if sign.isdecimal())
    if len(digits) < _LONG_NUMBER or _is_a_moment(run) or _is_money(match):
        return run
    return PHONE if _looks_like_phone(run, digits) else NUMBER


def _is_a_moment(run: str) -> bool:
    """Whether a long run is only dates, times and years."""
    pieces = re.split(rf"{_SPACE}(?:[-/]{_SPACE})?", run)
    return all(_MOMENT.fullmatch(piece) for piece in pieces)


def _is_money(match: re.Match[str]) -> bool:
    """Whether a run is written as an amount: in thousands, with a currency beside it."""
    if not _AMOUNT.fullmatch(match[0]):
        return False
    before = match.string[max(0, match.start() - 5) : match.start()]
    return bool(_CURRENCY_BEFORE.search(before) or _CURRENCY_AFTER.match(match.string, match.end()))


def _passes_luhn(digits: str) -> bool:
    """Whether 13-19 digits have the check digit of a payment card (ISO/IEC 7812)."""
    if not 13 <= len(digits) <= 19:
        return False
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def _looks_like_phone(run: str, digits: str) -> bool:
    """7-15 digits (E.164) that start like a call or are written in groups, and are no card."""
    international = run.startswith(("+", "00"))
    if len(digits) > 15 or (_passes_luhn(digits) and not international):
        return False
    grouped = len(digits) != len(run)
    return run.startswith(("+", "(", "0")) or (grouped and len(digits) <= 11)


def _redact_code(match: re.Match[str]) -> str:
    """Replaces ORD-12345 and AB123456, not covid-19, 24-hour or 10000km."""
    word = match[0]
    digits = sum(sign.isdecimal() for sign in word)
    mixed = digits != len(word) and any(sign.isalpha() for sign in word)
    measure = re.fullmatch(r"\d{1,6}[^\W\d_]{1,9}", word)
    return NUMBER if mixed and digits >= _LONG_CODE and not measure else word


def _redact_names(text: str, names: tuple[str, ...]) -> str:
    pattern = _names_pattern(names)
    if pattern is None:
        return text
    return _REPEATED_NAME.sub(NAME, pattern.sub(NAME, text))


@lru_cache(maxsize=1024)
def _names_pattern(names: tuple[str, ...]) -> re.Pattern[str] | None:
    """The full names in any case, or their parts as a name is written: Ada or ADA, not ada."""
    full = _longest_first({" ".join(name.split()) for name in names} - {""})
    parts = {part for name in full for part in name.split() if len(part) > 1 and part[0].isalpha()}
    written = {form for part in parts for form in (part[0].upper() + part[1:], part.upper())}
    choices = [f"(?i:{re.escape(name)})" for name in full if " " in name]
    choices += [re.escape(form) for form in _longest_first(written)]
    return re.compile(rf"(?<![\w\[])(?:{'|'.join(choices)})(?!\w)") if choices else None


def _longest_first(words: Iterable[str]) -> list[str]:
    return sorted(words, key=lambda word: (-len(word), word))
