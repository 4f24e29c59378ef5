"""Winners: of what is known of several records of one customer, or of one account, what the one
that stays will say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db import models

from surveys.models import Account, Customer
from surveys.models.audit import recorded

Noun = TypeVar("Noun", Account, Customer)

FIELDS: dict[type[models.Model], tuple[str, ...]] = {
    Customer: ("email", "name", "phone", "external_id", "account", "segment", "language",
               "time_zone", "country"),
    Account: ("external_id", "owner", "segment", "region", "revenue", "renews_on"),
}  # fmt: skip


@dataclass(frozen=True)
class Winner:
    """A field of the one that stays: what it is after the merge, and what is given up for that."""

    name: str
    value: Any
    lost: list[Any]


def winners_of(kept: Noun, others: Sequence[Noun]) -> Iterator[Winner]:
    """What is known of the one that stays is kept; what is not comes from the first who knows."""
    for name in FIELDS[type(kept)]:
        said = [value for row in (kept, *others) if (value := getattr(row, name)) not in (None, "")]
        if said:
            lost = [value for value in dict.fromkeys(said) if value != said[0]]
            yield Winner(name, said[0], lost)


def take_over(kept: Noun, winners: list[Winner]) -> None:
    for winner in winners:
        setattr(kept, winner.name, winner.value)


def owner_after(winners: list[Winner]) -> int | None:
    """The key of who will look after the account, or after the customer's."""
    won = {winner.name: winner.value for winner in winners}
    owner = won["account"].owner if won.get("account") else won.get("owner")
    return owner.pk if owner else None


def said(kept: Account | Customer, winner: Winner) -> object:
    """The value as the audit trail keeps it."""
    personal = getattr(kept, "personal", ())
    return recorded(winner.value, winner.name in personal)
