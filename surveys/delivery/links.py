"""The addresses that our mails lead to."""

from __future__ import annotations

from functools import cache

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.db import models
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from surveys.models import (
    Confirmation,
    Escalation,
    EscalationRecipient,
    Invitation,
    OpenLink,
    Purpose,
    User,
)


def answer_link(asked: Invitation) -> str:
    """Where this customer answers; with ?score=9 that score is chosen already."""
    return _customers(Purpose.ANSWER, asked)


def unsubscribe_link(asked: Invitation) -> str:
    return _customers(Purpose.UNSUBSCRIBE, asked)


def privacy_link(asked: Invitation) -> str:
    """Where this customer sees and deletes what they have said."""
    return _customers(Purpose.PRIVACY, asked)


def confirm_link(question: Confirmation) -> str:
    """Where the customer says whether somebody got back to them."""
    return settings.SITE_URL + reverse("surveys:confirm", args=[question.token])


def open_link(link: OpenLink) -> str:
    """Where anybody answers."""
    return settings.SITE_URL + reverse("surveys:open", args=[link.token])


def acknowledge_link(escalation: Escalation, person: User | EscalationRecipient) -> str:
    """Where this person says that they have seen it; they need no log-in."""
    return settings.SITE_URL + reverse("surveys:acknowledge", args=[escalation.token(person)])


def admin_link(noun: models.Model, page: str = "change", *more: object) -> str:
    """Where colleagues see and change this noun, or another page about it."""
    name = f"admin:{noun._meta.app_label}_{noun._meta.model_name}_{page}"
    return settings.SITE_URL + reverse(name, args=[noun.pk, *more])


def queue_link() -> str:
    return settings.SITE_URL + reverse("admin:surveys_outreachtask_changelist")


def outbox_link() -> str:
    return settings.SITE_URL + reverse("admin:surveys_message_changelist")


def inbox_link() -> str:
    return settings.SITE_URL + reverse("admin:surveys_inboundmail_changelist")


def password_link(user: User) -> str:
    """Where this user may choose a password; spent by choosing one, or by time."""
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    path = reverse("password_reset_confirm", args=[uid, default_token_generator.make_token(user)])
    return settings.SITE_URL + path


def _customers(purpose: str, asked: Invitation) -> str:
    return settings.SITE_URL + _path(purpose) + asked.token(purpose)


@cache
def _path(purpose: str) -> str:
    return reverse(f"surveys:{purpose}", args=["-"]).removesuffix("-")
