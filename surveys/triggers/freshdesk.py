"""Freshdesk tells when a ticket is resolved, closed or opened again.

Set up: an automation rule on ticket updates with the action "Trigger webhook": POST, JSON, to
/hooks/freshdesk/. Its webhooks are not signed (support.freshdesk.com, "Using webhooks in
automation rules"), so the secret HOOK_SECRET_FRESHDESK is sent along: as the password under
"Requires authentication", or as the custom header X-Voc-Secret. The simple content with ticket id,
status, contact's e-mail, name and unique external id is enough; it arrives as

    {"freshdesk_webhook": {"ticket_id": 11, "ticket_status": "Resolved",
                           "ticket_contact_email": "...", "ticket_contact_name": "...",
                           "ticket_contact_unique_external_id": "..."}}

The simple content has no time, so a ticket counts as resolved once. To be asked again about a
ticket that was opened again, add a "ticket_updated_at" with a time to the advanced content, with
or without the envelope. Statuses come by name, or by the numbers of Freshdesk's API.
"""

from __future__ import annotations

from surveys.triggers.contract import Happening, SharedSecret, moment, needed, person, slug, text

STATUSES = {"2": "open", "3": "pending", "4": "resolved", "5": "closed"}
RENAMED = {"open": "reopened"}


class Freshdesk(SharedSecret):
    name = "freshdesk"
    happenings = ("ticket.resolved", "ticket.closed", "ticket.reopened")

    def read(self, payload: dict) -> list[Happening]:
        ticket = payload.get("freshdesk_webhook", payload)
        number, said = needed(ticket, "ticket_id", 40), needed(ticket, "ticket_status", 40)
        status = slug(STATUSES.get(said, said))
        updated_at = text(ticket, "ticket_updated_at", 40)
        return [
            Happening(
                external_id=":".join(filter(None, [number, status, updated_at]))[:100],
                happening=f"ticket.{RENAMED.get(status, status)}",
                person=person(
                    text(ticket, "ticket_contact_email", 254),
                    text(ticket, "ticket_contact_unique_external_id"),
                    text(ticket, "ticket_contact_name", 200),
                ),
                subject=f"ticket:{number}",
                product=text(ticket, "product", 80),
                happened_at=moment(updated_at),
            )
        ]
