"""Find records that are probably one customer, or one account: for people to look at and merge.

Each list reads one index (Customer.Meta, Account.Meta) from its beginning until it has enough.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Count, QuerySet
from django.db.models.functions import Length

from surveys.loop.merge import MOST
from surveys.models import Account, Customer
from surveys.models.merges import domain_key, name_key, phone_key

LISTED = 25  # groups of each kind
SHORTEST_NUMBER = 7  # digits; a shorter one is an extension, which many share


@dataclass(frozen=True)
class Alike:
    """Two to five records, and why they look like one."""

    why: str
    rows: list[Customer] | list[Account]


def customers(listed: int = LISTED) -> list[Alike]:
    """Of the same name and e-mail domain, and of the same phone. More than five of one phone are
    people behind a switchboard."""
    standing = Customer.objects.filter(merged_into=None)
    named = standing.filter(email__isnull=False).exclude(name="")
    named = named.annotate(one=name_key(), two=domain_key())
    phoned = standing.exclude(phone="").annotate(one=phone_key())
    called = phoned.annotate(digits=Length("one")).filter(digits__gte=SHORTEST_NUMBER)
    found = [
        *_groups(named, "Same name and e-mail domain", ("one", "two"), listed),
        *_groups(called, "Same phone number", ("one",), listed),
    ]
    return list({tuple(row.pk for row in alike.rows): alike for alike in reversed(found)}.values())[
        ::-1
    ]


def accounts(listed: int = LISTED) -> list[Alike]:
    """Whose names differ in capitals, spaces and punctuation only."""
    standing = Account.objects.filter(merged_into=None).annotate(one=name_key())
    return list(_groups(standing, "Same name, written differently", ("one",), listed))


def _groups(rows: QuerySet, why: str, keys: tuple[str, ...], listed: int) -> Iterator[Alike]:
    groups = rows.order_by(*keys).values(*keys).annotate(n=Count("pk"))
    for group in groups.filter(n__gte=2, n__lte=MOST)[:listed]:
        same = {key: group[key] for key in keys}
        yield Alike(why, list(rows.filter(**same).order_by("pk")))
