"""Mails that follow their wave or survey when it is paused, resumed or stopped: those of a few
thousand customers at once, the others soon.

The sender looks at wave and survey itself before each mail, so the rest can wait for the sweep. A
checkpoint lets a sweep that was killed go on.
"""

from __future__ import annotations

from django.db.models import QuerySet

from surveys.delivery.hints import hint
from surveys.models import Message, Survey, Wave

BATCH = 5_000  # invitations
SETTLE = "surveys.tasks.settle_mails"


def begin(leader: Wave | Survey) -> None:
    """From now on the mails of `leader` follow it, from the first one on."""
    leader.settled_up_to = 0
    leader.save(update_fields=["settled_up_to"])
    hint(SETTLE)


def next_batch(leader: Wave | Survey) -> list[int]:
    """The next invitations whose mails are to follow; moves the checkpoint past them.

    Call it in the transaction that lets them follow.
    """
    later = leader.invitations.filter(pk__gt=leader.settled_up_to).order_by("pk")
    ids = list(later.values_list("pk", flat=True)[:BATCH])
    leader.settled_up_to = ids[-1] if len(ids) == BATCH else None
    leader.save(update_fields=["settled_up_to"])
    return ids


def mails_of(invitations: list[int]) -> QuerySet[Message]:
    return Message.objects.filter(invitation__in=invitations, kind__in=Message.OF_A_SURVEY)
