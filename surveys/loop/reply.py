"""Reply: a customer wrote back, and those who look after them can read it."""

from __future__ import annotations

from django.db import transaction

from surveys.delivery.outbox import post
from surveys.models import InboundMail, Message, User

Kind = InboundMail.Kind


@transaction.atomic
def reply(mail: InboundMail, owner: User | None = None) -> bool:
    """Keep `mail` (not yet stored) with the customer it is from. False: it was known already.

    `owner`, or else the owner of the customer's account, is told of what a person wrote. An
    automatic reply is only kept, and a mail that is from no customer of ours is kept as other.
    """
    if mail.customer is None:
        mail.kind = Kind.OTHER
    if not InboundMail.objects.keep(mail):
        return False
    if mail.kind == Kind.REPLY:
        account = mail.customer.account if mail.customer else None
        _tell(owner or (account.owner if account else None), mail)
    return True


def _tell(owner: User | None, mail: InboundMail) -> None:
    if owner and owner.is_active and mail.invitation:
        key, at = f"replied:{mail.pk}", mail.received_at
        post(Message.Kind.REPLIED, key, at, invitation=mail.invitation, user=owner)
