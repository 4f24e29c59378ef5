"""Complain: somebody pressed “this is spam”, and their mail provider told us."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from surveys.delivery import outcomes
from surveys.models import DeliveryEvent, InboundMail, Message

SOURCE = "mailbox"


@transaction.atomic
def complain(
    mail: InboundMail,
    message: Message | None,
    now: datetime,
    *,
    opt_out: bool = False,
    detail: str = "",
) -> bool:
    """Keep the report `mail` (not yet stored), and record the complaint about `message`.

    `opt_out`: the report says no more than that they want no more of these. False when the report
    was known already, or when nobody can say which of our mails it is about.
    """
    mail.kind = InboundMail.Kind.COMPLAINT
    if not InboundMail.objects.keep(mail) or message is None:
        return False
    kind = DeliveryEvent.Kind.UNSUBSCRIBED if opt_out else DeliveryEvent.Kind.COMPLAINT
    return outcomes.record(
        message, kind, source=SOURCE, event_id=mail.message_id, detail=detail, now=now
    )
