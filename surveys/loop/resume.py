"""Resume: a person has put right why the circuit breaker paused a survey, and it goes on."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from surveys.delivery import breaker, following
from surveys.delivery.hints import hint
from surveys.delivery.outbox import SEND
from surveys.loop.ask import PLAN
from surveys.loop.waves import catch_up
from surveys.models import AuditEntry, Message, Survey, User, Wave


class NotPaused(Exception):
    """The survey is not paused."""


@transaction.atomic
def resume(survey: Survey, by: User, now: datetime) -> int:
    """Queue again what was held back, and count bounces and complaints afresh. Returns how many.

    What is overdue waits for the next opening of its customer's window. What belongs to a wave that
    a person paused as well goes on with that wave. Raises NotPaused.
    """
    survey = Survey.objects.select_for_update().get(pk=survey.pk)
    if not survey.paused_reason:
        raise NotPaused(f"“{survey}” is not paused: there is nothing to resume.")
    before, survey.paused_reason, survey.resumed_at = survey.paused_reason, "", now
    survey.save(update_fields=["paused_reason", "resumed_at"])
    held = breaker.held(Message.objects.filter(invitation__survey=survey)).count()
    AuditEntry.record(
        "resume", survey, now, actor=by, before={"paused": before}, after={"mails queued": held}
    )
    following.begin(survey)
    settle_batch(survey, now)
    hint(PLAN)
    return held


def settle_batch(survey: Survey, now: datetime) -> int:
    """Let the next mails follow the survey; returns how many invitations were looked at."""
    if survey.paused_reason:
        return breaker.hold_batch(survey)
    ids = following.next_batch(survey)
    held = breaker.held(following.mails_of(ids))
    waves = set(held.order_by().values_list("invitation__wave", flat=True))
    for wave in [None, *Wave.objects.filter(pk__in=waves - {None}).select_related("survey")]:
        catch_up(survey, wave, held.filter(invitation__wave=wave), now)
    held.update(state=Message.State.QUEUED, last_error="")
    hint(SEND)
    return len(ids)
