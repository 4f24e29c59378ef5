"""Salesforce tells when a case is closed or opened again.

Set up: a record-triggered flow on Case with an HTTP callout (POST) to /hooks/salesforce/. Its named
credential sends the secret HOOK_SECRET_SALESFORCE in the custom header X-Voc-Secret, or as the
password of basic authentication (help.salesforce.com, "Guidelines for Authenticating HTTP Callout
Actions"). Outbound messages are not read: they are SOAP. The body holds fields of the case by
their API names (object reference, Case):

    {"Id": "500...", "Status": "Closed", "IsClosed": true, "ClosedDate": "2026-03-10T09:00:00Z",
     "ContactEmail": "...", "ContactId": "003...", "Product": ""}

A closed case is "case.closed" whatever its status is called. A case that was closed and is not any
more is sent with "IsClosed": false and "Status": "Reopened". SuppliedEmail and SuppliedName, of
cases that came from the web, stand in where there is no contact.
"""

from __future__ import annotations

from surveys.triggers.contract import Happening, SharedSecret, moment, needed, person, slug, text

RENAMED = {"re-opened": "reopened"}


class Salesforce(SharedSecret):
    name = "salesforce"
    happenings = ("case.closed", "case.reopened")

    def read(self, payload: dict) -> list[Happening]:
        case, status = needed(payload, "Id", 40), slug(needed(payload, "Status", 40))
        is_closed = payload.get("IsClosed") is True
        verb = "closed" if is_closed else RENAMED.get(status, status)
        closed_at, changed_at = (
            text(payload, name, 40) for name in ("ClosedDate", "LastModifiedDate")
        )
        at = (closed_at if is_closed else "") or changed_at
        return [
            Happening(
                external_id=":".join(filter(None, [case, verb, at]))[:100],
                happening=f"case.{verb}",
                person=person(
                    text(payload, "ContactEmail", 254) or text(payload, "SuppliedEmail", 254),
                    text(payload, "ContactId"),
                    text(payload, "ContactName", 200) or text(payload, "SuppliedName", 200),
                ),
                subject=f"case:{case}",
                product=text(payload, "Product", 80),
                happened_at=moment(at),
            )
        ]
