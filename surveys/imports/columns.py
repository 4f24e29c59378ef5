"""Which column of a file holds what: usual names are known, others can be mapped."""

from __future__ import annotations

import re
from collections.abc import Mapping

from surveys.imports.rows import Unreadable

CUSTOMER_COLUMNS = {
    "email": ("e-mail", "email", "mail", "email address", "contact email", "e-mail-adresse"),
    "name": ("name", "customer", "customer name", "contact", "contact name", "full name"),
    "external_id": ("customer id", "crm id", "external id", "id", "contact id", "person id"),
    "phone": ("phone", "telephone", "mobile", "phone number"),
    "account": ("account", "account name", "company", "company name", "organisation",
                "organization", "firma"),
    "account_id": ("account id", "company id", "account crm id", "organisation id"),
    "segment": ("segment", "tier", "customer segment"),
    "region": ("region", "territory"),
    "owner": ("owner", "owner email", "owner e-mail", "account owner", "account manager"),
    "revenue": ("revenue", "yearly revenue", "annual revenue", "arr"),
    "renews_on": ("renewal", "renewal date", "renews on", "contract end"),
    "language": ("language", "locale", "lang", "sprache"),
    "time_zone": ("time zone", "timezone", "tz"),
    "country": ("country", "country code", "land"),
    "is_key_contact": ("key contact", "is key contact", "primary contact"),
}  # fmt: skip

RESPONSE_COLUMNS = {
    "score": ("score", "rating", "nps", "csat", "ces", "answer score"),
    "comment": ("comment", "text", "feedback", "verbatim", "answer", "comments"),
    "date": ("date", "answered at", "responded at", "created at", "timestamp", "response date"),
    "customer": ("customer", "e-mail", "email", "customer email", "customer e-mail",
                 "person email"),
    "segment": ("segment", "tier", "customer segment"),
    "product": ("product", "touchpoint", "product or touchpoint"),
    "language": ("language", "locale", "lang"),
    "external_id": (),  # only where it is asked for: an “id” may number each file from nought
}  # fmt: skip


def folded(name: str) -> str:
    """“Owner_E-Mail ” and “owner e-mail” are the same column."""
    return re.sub(r"[\s_.:]+", " ", name).strip().casefold()


def find(
    header: list[str], known: Mapping[str, tuple[str, ...]], asked: Mapping[str, str] | None = None
) -> dict[str, int]:
    """Position of each field that the file has. `asked` maps a field to the name of its column.

    Raises Unreadable for a field we do not know and for a column that is not there.
    """
    asked = asked or {}
    positions = {folded(name): at for at, name in enumerate(header) if name}
    found: dict[str, int] = {}
    for field, name in asked.items():
        if field not in known:
            raise Unreadable(f"“{field}” is not a field. Fields: {', '.join(known)}.")
        if folded(name) not in positions:
            raise Unreadable(f"There is no column “{name}”. Columns: {', '.join(header)}.")
        found[field] = positions[folded(name)]
    taken = set(found.values())
    for field, names in known.items():
        here = [positions[n] for n in (*names, field.replace("_", " ")) if n in positions]
        here = [at for at in dict.fromkeys(here) if at not in taken]
        if field in found or not here or not names:
            continue
        found[field] = here[0]
        taken.add(here[0])
    return found


def unused(header: list[str], found: Mapping[str, int]) -> list[str]:
    """Names of the columns that nothing is read from, so that the summary can say so."""
    return [name for at, name in enumerate(header) if name and at not in found.values()]
