"""Rehearse: mail a colleague what customers would get, with links that count for nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from surveys.delivery.outbox import post
from surveys.models import AuditEntry, Message, Reminder, Survey, User

PAUSE = timedelta(minutes=1)


class TooSoon(Exception):
    """This colleague was mailed a test less than a minute ago."""


@transaction.atomic
def send_test(
    survey: Survey, language: str, to: User, now: datetime, reminder: Reminder | None = None
) -> None:
    """Mail `to` the invitation, or that reminder, in the words of `language`.

    Raises NoWording, TooSoon.
    """
    language = survey.wording_for(language).language
    lately = Message.objects.filter(kind=Message.Kind.TEST, user=to, created_at__gt=now - PAUSE)
    if lately.exists():
        raise TooSoon("You were sent a test less than a minute ago. It may still be on its way.")
    key = f"test:{to.pk}:{now:%Y-%m-%dT%H:%M}"
    about = {"survey": survey, "language": language, "reminder": reminder}
    post(Message.Kind.TEST, key, now, user=to, **about)
    after = {"language": language, "reminder": reminder.number if reminder else None}
    AuditEntry.record("send a test", survey, now, actor=to, after=after)
