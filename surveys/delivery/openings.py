"""When a survey may write to a customer: its hours and working days, where the customer lives."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings

from surveys.loop.windows import ALWAYS, Place, Window, next_opening
from surveys.models import Customer, Message, Survey, Wave

CLOSED = "Waits for the hours in which the customer may be written to."


def window(survey: Survey, wave: Wave | None = None) -> Window:
    if wave and wave.at_once:
        return ALWAYS
    return Window(survey.send_from, survey.send_until, survey.working_days_only)


def place(customer: Customer) -> Place:
    """Their own time zone and country; the company's time zone, and no holidays, if not known."""
    return Place(customer.time_zone or settings.TIME_ZONE, customer.country)


def opening(survey: Survey, customer: Customer, at: datetime, wave: Wave | None = None) -> datetime:
    """The first instant from `at` on at which `survey` may write to the customer."""
    return next_opening(at, window(survey, wave), place(customer))


def closed_until(message: Message, now: datetime) -> datetime | None:
    """When the customer may be written to again; None: now is fine.

    Mails are planned for an open window. A backlog or a refusal may carry them past its end.
    """
    invitation = message.invitation
    if invitation is None or message.kind not in Message.NEVER_TWICE:
        return None
    follows_wave = message.kind in (Message.Kind.INVITATION, Message.Kind.HEADS_UP)
    wave = invitation.wave if follows_wave else None
    opens = opening(invitation.survey, invitation.customer, now, wave)
    return opens if opens > now else None
