"""The accounts that a file of customers names: found, made, or brought up to date."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from surveys.imports.cells import BadCell
from surveys.imports.trace import Trace
from surveys.loop import own
from surveys.models import Account, User

# Fields of an account as the file calls them, and as the model does.
FIELDS = {
    "account": "name",
    "account_id": "external_id",
    "segment": "segment",
    "region": "region",
    "owner": "owner",
    "revenue": "revenue",
    "renews_on": "renews_on",
}
NEEDS_ACCOUNT = ("region", "owner", "revenue", "renews_on")


@dataclass
class Known:
    """An account of this file, what the file has said of it so far, and in which line."""

    account: Account
    is_new: bool
    before: dict[str, Any] = field(default_factory=dict)  # what has changed since it was saved
    touched: bool = False
    said: dict[str, tuple[Any, int]] = field(default_factory=dict)


class Accounts:
    """Every account that the file has named; rows must not contradict each other."""

    def __init__(self, move_tasks: bool) -> None:
        self.move_tasks = move_tasks
        self.by_name: dict[str, Known] = {}
        self.by_id: dict[str, Known] = {}
        self.owners: dict[str, User] = {}
        self.created = self.updated = 0
        self.unsaved: list[Known] = []

    def load(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Fetch what a batch of rows names, in three queries."""
        rows = list(rows)
        names = {row["account"] for row in rows if "account" in row} - self.by_name.keys()
        ids = {row["account_id"] for row in rows if "account_id" in row} - self.by_id.keys()
        found = Account.objects.filter(name__in=names) | Account.objects.filter(external_id__in=ids)
        related = ("owner", "merged_into__owner")
        for account in found.select_related(*related) if names or ids else ():
            if account.name not in self.by_name:
                self._remember(Known(account, is_new=False))
        emails = {row["owner"] for row in rows if "owner" in row} - self.owners.keys()
        if emails:
            active = User.objects.filter(email__in=emails, is_active=True)
            self.owners |= {user.email: user for user in active}

    def take(self, row: Mapping[str, Any], line: int) -> Account | None:
        """The account of one row, with what the row says of it.

        None when the row names none. Raises BadCell.
        """
        if "account" not in row and "account_id" not in row:
            if lone := [name for name in NEEDS_ACCOUNT if name in row]:
                raise BadCell(f"The {lone[0].replace('_', ' ')} belongs to an account; name it.")
            return None
        known = self._find(row) or self._new(row)
        if known.account.merged_into_id:
            return known.account.standing  # whose own rows speak for it
        for name, attribute in FIELDS.items():
            if name in row and not self._leads_here(name, row, known):
                value = self._owner(row[name]) if name == "owner" else row[name]
                self._say(known, attribute, value, line)
        self._remember(known)
        return known.account

    def _find(self, row: Mapping[str, Any]) -> Known | None:
        by_id = self.by_id.get(row.get("account_id", ""))
        by_name = self.by_name.get(row.get("account", ""))
        if by_id and by_name and _standing(by_id) == _standing(by_name):
            return by_id
        if by_id and by_name and by_id is not by_name:
            raise BadCell(f"Account “{row['account']}” has another account id than this.")
        taken = by_name.account.external_id if by_name else None
        if not by_id and taken and row.get("account_id", taken) != taken:
            raise BadCell(f"Account “{row['account']}” has the account id “{taken}” already.")
        return by_id or by_name

    def _leads_here(self, name: str, row: Mapping[str, Any], known: Known) -> bool:
        """Whether the name is that of an account that was merged into this one."""
        return name == "account" and self.by_name.get(row[name], known) is not known

    def _new(self, row: Mapping[str, Any]) -> Known:
        if "account" not in row:
            raise BadCell(f"There is no account with the id “{row['account_id']}”; name it.")
        return Known(Account(), is_new=True)

    def _owner(self, email: str) -> User:
        if email not in self.owners:
            raise BadCell(f"No colleague here has the address {email}. Invite them first.")
        return self.owners[email]

    def _say(self, known: Known, attribute: str, value: Any, line: int) -> None:
        before, earlier = known.said.setdefault(attribute, (value, line))
        if before != value:
            what = f"The {attribute.replace('_', ' ')} of account “{known.account.name}”"
            raise BadCell(f"{what} is “{before}” in line {earlier}, and “{value}” here.")
        if getattr(known.account, attribute) != value:
            known.before.setdefault(attribute, getattr(known.account, attribute))
            setattr(known.account, attribute, value)
            self._count(known)
            self.unsaved.append(known)

    def _remember(self, known: Known) -> None:
        self.by_name[known.account.name] = known
        if known.account.external_id:
            self.by_id[known.account.external_id] = known

    def _count(self, known: Known) -> None:
        """Once for each account, at its first change."""
        if known.touched:
            return
        known.touched = True
        self.created += known.is_new
        self.updated += not known.is_new

    def save(self, trace: Trace) -> None:
        """Write what is new and what has changed since the last time."""
        unsaved = list({id(one): one for one in self.unsaved}.values())
        new = [one.account for one in unsaved if one.account.pk is None]
        changed = [one for one in unsaved if one.account.pk is not None]
        Account.objects.bulk_create(new)
        Account.objects.bulk_update([one.account for one in changed], list(FIELDS.values()), 500)
        trace.created(new, FIELDS.values())
        trace.changed((one.account, one.before) for one in changed)
        if self.move_tasks:
            _move_tasks([one for one in changed if "owner" in one.before], trace)
        for one in unsaved:
            one.before = {}
        self.unsaved.clear()


def _standing(known: Known) -> Account:
    return known.account.standing


def _move_tasks(accounts: list[Known], trace: Trace) -> None:
    """Open tasks follow those accounts to their new owners."""
    for one in accounts:
        before = one.before["owner"]
        own.follow(one.account, before and before.pk, trace.now, trace.by)
