"""Rooms of chat tools that are told of escalations, and what each of them is to be told."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q

from surveys.models.escalation import Escalation, ForSomeAccounts, Tier

PORTS = {None, 443, 8443}


def https_address(url: str) -> None:
    """Raises ValidationError unless it is an https address on port 443 or 8443 without a user."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValidationError("This is not a web address.") from None
    if parts.scheme != "https" or not parts.hostname or parts.username is not None:
        raise ValidationError("Give an address that begins with https:// and names no user.")
    if port not in PORTS:
        raise ValidationError("Only the ports 443 and 8443 are used.")


class ChatHook(ForSomeAccounts):
    """An incoming webhook of a chat tool. Its address is its secret."""

    class Kind(models.TextChoices):
        SLACK = "slack", "Slack, Mattermost and alike"
        TEAMS = "teams", "Microsoft Teams"

    name = models.CharField(max_length=80, unique=True, help_text="Such as “#customer-care”.")
    kind = models.CharField("tool", max_length=5, choices=Kind.choices, default=Kind.SLACK)
    url = models.CharField(
        "address",
        max_length=1_000,
        validators=[https_address],
        help_text="Of the incoming webhook, as the chat tool shows it. Whoever knows it can write "
        "there.",
    )
    from_level = models.PositiveSmallIntegerField(
        "is told from", choices=Tier.choices, default=Tier.LEAD
    )
    is_active = models.BooleanField("is told", default=True)
    failing_since = models.DateTimeField(null=True, editable=False)
    stopped_reason = models.CharField(max_length=200, blank=True, editable=False)

    class Meta:
        verbose_name = "chat webhook"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""


class ChatMessages(models.QuerySet["ChatMessage"]):
    def due(self, now) -> ChatMessages:
        return self.filter(state=ChatMessage.State.QUEUED, next_at__lte=now)


class ChatMessage(models.Model):
    """One message to one room. Like a mail it holds no text: it is written when it is sent."""

    class State(models.TextChoices):
        QUEUED = "queued", "Queued"
        SENT = "sent", "Sent"
        FAILED = "failed", "Failed"

    hook = models.ForeignKey(ChatHook, on_delete=models.CASCADE, related_name="messages")
    escalation = models.ForeignKey(  # empty: a test
        Escalation, null=True, on_delete=models.CASCADE, related_name="chats"
    )
    state = models.CharField(max_length=6, choices=State.choices, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)  # also the fence: counted at the claim
    next_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()

    objects = ChatMessages.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["hook", "escalation"], name="chat_told_once")
        ]
        indexes = [models.Index(F("next_at"), name="chats_queued", condition=Q(state="queued"))]

    def __str__(self) -> str:
        return f"{self.hook}, {self.get_state_display().lower()}"
