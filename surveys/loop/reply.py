"""Reply: a customer wrote back, and those who look after them can read it."""

from __future__ import annotations

from django.db import transaction

from surveys.models import InboundMail


@transaction.atomic
def reply(mail: InboundMail) -> bool:
    """Keep `mail` (not yet stored) with the customer it is from. False: it was known already.

    An automatic reply is kept as one. A mail that is from no customer of ours is kept as other.
    """
    if mail.customer is None:
        mail.kind = InboundMail.Kind.OTHER
    return InboundMail.objects.keep(mail)
