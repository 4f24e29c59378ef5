"""Recognise: which of our customers another system means, who may be one nobody knew yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Q

from surveys.models import Account, AuditEntry, Customer, User


class TwoCustomers(Exception):
    """The e-mail address belongs to one customer and the CRM id to another."""


@dataclass(frozen=True)
class Person:
    """A customer as another system names them; the address or the id is given."""

    email: str | None = None
    external_id: str | None = None
    name: str = ""
    language: str = ""
    account: Account | None = None


def find(person: Person) -> Customer | None:
    """The customer who is meant, or None; for one who was merged, the one who stayed.

    Raises TwoCustomers.
    """
    ids = {"email": (person.email or "").lower(), "external_id": person.external_id}
    given = [Q(**{name: value}) for name, value in ids.items() if value]
    if not given:
        return None
    rows = Customer.objects.filter(Q(*given, _connector=Q.OR)).select_related("merged_into")
    found = {row.standing for row in rows[:2]}
    if len(found) == 2:
        raise TwoCustomers(f"{' and '.join(filter(None, ids.values()))} are two customers.")
    return found.pop() if found else None


@transaction.atomic
def find_or_create(
    person: Person, now: datetime, *, actor: User | None = None, reason: str = ""
) -> tuple[Customer, bool]:
    """The customer who is meant, stored now if nobody knew them; True if so. Raises TwoCustomers.

    What is known of a customer stays as it is, whatever the other system says.
    """
    if known := find(person):
        return known, False
    customer = Customer(
        email=person.email.lower() if person.email else None,
        external_id=person.external_id or None,
        name=person.name,
        language=person.language,
        account=person.account,
        created_at=now,
    )
    try:
        with transaction.atomic():
            customer.save()
    except IntegrityError:
        if twin := find(person):
            return twin, False  # another request stored the same customer meanwhile
        raise
    given = [name for name in ("email", "external_id", "name") if getattr(person, name)]
    AuditEntry.record("create", customer, now, actor=actor, after={"fields": given}, reason=reason)
    return customer, True
