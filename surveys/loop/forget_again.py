"""Forget again: a restored backup knows customers whom we have forgotten since it was made.

So each erasure is noted in a file that is kept apart from the database, a line of JSON each. It
names nobody: a number, a keyed hash of the address, when and why.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from django.db import transaction

from surveys.loop.forget import forget
from surveys.models import Customer, Erasure, Suppression

AT_ONCE = 1_000  # erasures; the next tick notes the next
REASON = "Forgotten before, and again after a backup was restored."


class NotALog(Exception):
    """The file is no log of erasures; the message says in which line."""


@dataclass(frozen=True)
class Noted:
    """One line of the file."""

    customer: int
    address: str | None  # Suppression.hash of the address, in hexadecimal digits
    at: str
    cause: str

    @classmethod
    def of(cls, erasure: Erasure) -> Noted:
        digest = erasure.address_digest
        return cls(
            customer=erasure.customer_id,
            address=bytes(digest).hex() if digest else None,
            at=erasure.at.isoformat(),
            cause=erasure.cause,
        )


@transaction.atomic
def note(path: str, now: datetime) -> int:
    """Write down, at the end of the file at `path`, the erasures that are not in it; returns how
    many. A crash between file and commit writes some twice, which does no harm.

    Those whose time was up are left out: a restored backup finds them by itself, the next night.
    """
    new = Erasure.objects.filter(noted_at=None).exclude(cause=Erasure.Cause.TIME)
    rows = list(new.select_for_update(of=("self",), skip_locked=True).order_by("pk")[:AT_ONCE])
    if rows:
        _append(Path(path), [json.dumps(asdict(Noted.of(row))) for row in rows])
        Erasure.objects.filter(pk__in=[row.pk for row in rows]).update(noted_at=now)
    return len(rows)


def _append(path: Path, lines: list[str]) -> None:
    with path.open("a", encoding="ascii") as file:
        file.writelines(f"{line}\n" for line in lines)
        file.flush()
        os.fsync(file.fileno())


def read(lines: Iterable[str]) -> Iterator[Noted]:
    """Raises NotALog."""
    for number, line in enumerate(lines, start=1):
        try:
            if line.strip():
                yield Noted(**json.loads(line))
        except (ValueError, TypeError) as error:
            raise NotALog(f"Line {number} is no line of a log of erasures.") from error


def forget_again(log: Iterable[Noted], now: datetime) -> int:
    """Forget whom the log says, as far as the database knows them; returns how many.

    They are known by number or address if they were stored before they were forgotten: whoever got
    the number after a backup, or came back, came later. The address is not written to in any case.
    """
    noted = Log(log)
    for digest in noted.by_address:
        why = {"reason": Suppression.Reason.FORGOTTEN, "at": now}
        Suppression.objects.get_or_create(digest=digest, family=None, defaults=why)
    rows = Customer.objects.known().only("email", "created_at").iterator()
    found = [(row, one) for row in rows if (one := noted.about(row))]
    for customer, one in found:
        erasure = forget(customer, None, REASON, now, one.cause)
        Erasure.objects.filter(pk=erasure.pk).update(noted_at=now)  # as it is in the log
    return len(found)


class Log:
    def __init__(self, noted: Iterable[Noted]):
        rows = sorted(noted, key=lambda one: datetime.fromisoformat(one.at))
        self.by_number = {one.customer: one for one in rows}
        self.by_address = {bytes.fromhex(one.address): one for one in rows if one.address}

    def about(self, customer: Customer) -> Noted | None:
        """What is noted about this customer, and about nobody who came later."""
        noted = [self.by_number.get(customer.pk)]
        if customer.email and self.by_address:
            noted.append(self.by_address.get(Suppression.hash(customer.email)))
        at = customer.created_at
        return next((one for one in noted if one and at <= datetime.fromisoformat(one.at)), None)
