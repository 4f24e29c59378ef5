"""Bring: open tasks that come to another account, as its records are merged, go to its owner, as
they do when an account changes its owner."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from surveys.loop.own import Rota, followers, move
from surveys.models import Account, Customer, OutreachTask, User

WHY = "Came with a merge: the owner of the account that stays looks after it."


@dataclass(frozen=True)
class Coming:
    """The open tasks of a record that is given up, and the owner of the account that they leave."""

    before: int | None
    tasks: list[int]


def coming(others: Sequence[Account | Customer]) -> list[Coming]:
    """Ask before they are merged: afterwards nobody can tell any more."""
    return [_coming(other) for other in others]


def _coming(other: Account | Customer) -> Coming:
    account = other if isinstance(other, Account) else other.account
    about = "customer__account" if isinstance(other, Account) else "customer"
    tasks = OutreachTask.objects.open().filter(**{about: other}).order_by("pk")
    return Coming(account.owner_id if account else None, list(tasks.values_list("pk", flat=True)))


@dataclass(frozen=True)
class Brought:
    """Which tasks go to whom: the owner of the account that stays, or who covers them."""

    to: User | None
    tasks: list[int]


def foreseen(all_coming: Iterable[Coming], owner: int | None, now: datetime) -> Brought:
    """What `bring` would do. Those that were handed to a third stay with them."""
    to = Rota(now).standing_in(owner)
    tasks: list[int] = []
    for one in all_coming:
        if to and one.before != owner:
            rows = followers(OutreachTask.objects.filter(pk__in=one.tasks), one.before, to)
            tasks += rows.values_list("pk", flat=True)
    return Brought(to, tasks)


def bring(all_coming: Iterable[Coming], owner: int | None, by: User, now: datetime) -> int:
    """Give them to whoever stands in for `owner` (a key) today; returns how many. Call it in the
    transaction of the merge."""
    brought = foreseen(all_coming, owner, now)
    if not (brought.to and brought.tasks):
        return 0
    return move(OutreachTask.objects.filter(pk__in=brought.tasks), brought.to, now, by, WHY)
