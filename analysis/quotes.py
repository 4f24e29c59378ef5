"""What customers said about a theme, in their own words and without their names."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Case, F, IntegerField, Q, QuerySet, Value, When, Window
from django.db.models.functions import Length, RowNumber

from analysis.models import Mention
from analysis.text.redact import NAME, redact

TYPICAL = 3
CANDIDATES = 8  # for the typical ones: some of them say the same
QUOTABLE = (15, 400)  # characters: enough to mean something, short enough to be read
CUT = 600


@dataclass(frozen=True)
class Quote:
    text: str  # redacted
    answered_at: datetime


@dataclass(frozen=True)
class Quotes:
    """Up to three comments that fit a theme best, and the newest one."""

    typical: tuple[Quote, ...] = ()
    newest: Quote | None = None


def quotes(mentions: QuerySet[Mention]) -> dict[int, Quotes]:
    """By theme id, from the given mentions; one query."""
    unquotable = Case(
        When(length__range=QUOTABLE, then=Value(0)), default=1, output_field=IntegerField()
    )
    best = [unquotable.asc(), F("confidence").desc(), F("pk").asc()]
    newest = [F("response__answered_at").desc(), F("pk").desc()]
    rows = mentions.annotate(length=Length("response__comment")).annotate(
        rank=Window(RowNumber(), partition_by="theme", order_by=best),
        age=Window(RowNumber(), partition_by="theme", order_by=newest),
    )
    rows = rows.filter(Q(rank__lte=CANDIDATES) | Q(age=1)).values_list(
        "theme",
        "rank",
        "age",
        "response__comment",
        "response__customer__name",
        "response__customer__account__name",
        "response__answered_at",
    )
    by_theme: dict[int, list[tuple[int, int, Quote]]] = defaultdict(list)
    for theme, rank, age, comment, *names, at in rows:
        by_theme[theme].append((rank, age, Quote(without_names(comment, *names)[:CUT], at)))
    return {theme: _choose(found) for theme, found in by_theme.items()}


def without_names(comment: str, customer: str | None, account: str | None) -> str:
    """The comment without personal data, the customer's own name and the account's.

    Of an account's name only the whole is taken out: its parts are words such as "The" or "Till".
    """
    if account:
        whole = rf"(?<!\w){re.escape(account)}(?!\w)"
        comment = re.sub(whole, NAME, comment, flags=re.IGNORECASE)
    return redact(comment, names=[customer] if customer else [])


def _choose(found: list[tuple[int, int, Quote]]) -> Quotes:
    ranked = [quote for rank, _, quote in sorted(found, key=lambda row: row[0])]
    newest = next(quote for _, age, quote in found if age == 1)
    different = {" ".join(quote.text.casefold().split()): quote for quote in reversed(ranked)}
    typical = [quote for quote in ranked if quote in different.values() and quote != newest]
    return Quotes(tuple(typical[:TYPICAL]), newest)
