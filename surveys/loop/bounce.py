"""Bounce: a mail of ours came back, and perhaps its address is not written to again."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from surveys.delivery import outcomes
from surveys.models import DeliveryEvent, InboundMail, Message

SOURCE = "mailbox"


@transaction.atomic
def bounce(
    mail: InboundMail,
    message: Message | None,
    now: datetime,
    *,
    permanent: bool | None,
    detail: str = "",
) -> bool:
    """Keep the report `mail` (not yet stored), and record the bounce of `message`.

    `permanent` is None for a mere delay. False when the report was known already, or when nobody
    can say which of our mails it is about: then nothing follows but that it is kept.
    """
    mail.kind = InboundMail.Kind.BOUNCE
    if not InboundMail.objects.keep(mail) or message is None or permanent is None:
        return False
    kind = DeliveryEvent.Kind.HARD_BOUNCE if permanent else DeliveryEvent.Kind.SOFT_BOUNCE
    return outcomes.record(
        message, kind, source=SOURCE, event_id=mail.message_id, detail=detail, now=now
    )
