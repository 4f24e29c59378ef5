"""Zendesk tells when a ticket is solved or opened again.

Set up: a webhook to /hooks/zendesk/ (POST, JSON) that is connected to a trigger, because only a
trigger's own body can hold the requester's address (ticket events of Zendesk hold numbers only).
Its signing secret, shown on the webhook's page, is HOOK_SECRET_ZENDESK. The trigger's JSON body:

    {"ticket": "{{ticket.id}}", "status": "solved", "email": "{{ticket.requester.email}}",
     "external_id": "{{ticket.requester.external_id}}", "product": "",
     "updated_at": "{{ticket.updated_at_with_timestamp}}"}

A second trigger on "status changed to open" with "status": "open" takes back the ask about a
ticket that was opened again. The status is written out, as {{ticket.status}} is translated.

Signature: base64(HMAC-SHA256(timestamp + body)) in X-Zendesk-Webhook-Signature, the timestamp in
X-Zendesk-Webhook-Signature-Timestamp (developer.zendesk.com/documentation/webhooks/verifying/).
Times have minutes, such as 2013-12-12T05:35Z (Zendesk placeholders reference).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta

from surveys.triggers.contract import (
    Happening,
    System,
    Unreadable,
    moment,
    needed,
    person,
    same,
    slug,
    text,
)

FRESH = timedelta(hours=1)  # a replay is harmless, but need not be taken for ever
RENAMED = {"open": "reopened"}


class Zendesk(System):
    name = "zendesk"
    happenings = ("ticket.solved", "ticket.reopened")

    def verify(self, headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> bool:
        timestamp = headers.get("X-Zendesk-Webhook-Signature-Timestamp", "")
        signed = timestamp.encode("utf-8", "replace") + body
        mac = hmac.digest(secret.encode(), signed, hashlib.sha256)
        given = headers.get("X-Zendesk-Webhook-Signature", "")
        return same(given, base64.b64encode(mac).decode()) and _is_fresh(timestamp, now)

    def read(self, payload: dict) -> list[Happening]:
        if str(payload.get("type", "")).startswith("zen:event-type:"):
            raise Unreadable("Zendesk events hold no address: connect the webhook to a trigger.")
        ticket, status = needed(payload, "ticket", 60), slug(needed(payload, "status", 40))
        updated_at = text(payload, "updated_at", 40)
        happening = f"ticket.{RENAMED.get(status, status)}"
        return [
            Happening(
                external_id=":".join(filter(None, [ticket, status, updated_at]))[:100],
                happening=happening,
                person=person(
                    text(payload, "email", 254),
                    text(payload, "external_id"),
                    text(payload, "name", 200),
                ),
                subject=f"ticket:{ticket}",
                product=text(payload, "product", 80),
                happened_at=moment(updated_at),
            )
        ]


def _is_fresh(timestamp: str, now: datetime) -> bool:
    try:
        sent_at = moment(timestamp)
    except Unreadable:
        return False
    return sent_at is not None and abs(now - sent_at) <= FRESH
