"""The outbox: what must be told to the world, written in the transaction that made it true."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import F, Q

from surveys.models.confirmations import Confirmation
from surveys.models.escalation import Escalation, EscalationRecipient, Person, code_of
from surveys.models.invitations import Invitation
from surveys.models.outreach import OutreachTask
from surveys.models.reminders import Reminder
from surveys.models.staff import User
from surveys.models.surveys import Survey


class Messages(models.QuerySet["Message"]):
    def due(self, now: datetime) -> Messages:
        return self.filter(state=Message.State.QUEUED, next_at__lte=now)

    def in_doubt(self) -> Messages:
        """The server may have taken them, or not."""
        return self.filter(state=Message.State.IN_DOUBT)

    def abandoned(self, now: datetime) -> Messages:
        """Claimed by a sender whose lease has run out: it is dead or has stalled."""
        return self.filter(state=Message.State.SENDING, lease_until__lt=now)


class Message(models.Model):
    """One mail to one person. It holds no text: it is rendered when it is sent."""

    class Kind(models.TextChoices):
        INVITATION = "invitation", "Invitation"
        REMINDER = "reminder", "Reminder"
        HEADS_UP = "heads_up", "Announcement of a survey"
        TEST = "test", "Test of an invitation"
        CONFIRMATION = "confirmation", "Question after a closed task"
        TASK_MAIL = "task_mail", "Mail about a customer's answer"
        TASK_OPENED = "task_opened", "New outreach task"
        WELCOME = "welcome", "Welcome of a colleague"
        PASSWORD_RESET = "password_reset", "Password reset"
        CONTACT_BOUNCED = "contact_bounced", "Key contact cannot be reached"
        CONTACT_SILENT = "contact_silent", "Key contact does not answer"
        REPLIED = "replied", "Reply of a customer"
        ESCALATION = "escalation", "Escalation of a task"
        DIGEST = "digest", "Digest of the morning"
        DENIED = "denied", "Closing that the customer denies"
        CHAT_STOPPED = "chat_stopped", "Chat room that cannot be told"
        ALARM = "alarm", "Alarm"

    # Asking twice is worse than asking a person what happened to one mail; for staff it is the
    # other way round, and the same Message-ID lets their mail program drop the copy.
    NEVER_TWICE = (Kind.INVITATION, Kind.REMINDER, Kind.HEADS_UP, Kind.CONFIRMATION)
    # Bounces and complaints about these are about a customer's address. What a colleague wrote by
    # hand is among them, and must not be lost: it is sent again with its Message-ID.
    TO_CUSTOMERS = (*NEVER_TWICE, Kind.TASK_MAIL)
    # Those of an invitation: they wait while its survey is paused, and end with it.
    OF_A_SURVEY = (Kind.INVITATION, Kind.REMINDER, Kind.HEADS_UP)

    class State(models.TextChoices):
        QUEUED = "queued", "Queued"
        SENDING = "sending", "Sending"
        SENT = "sent", "Sent"
        FAILED = "failed", "Failed"
        IN_DOUBT = "in_doubt", "In doubt"
        CANCELLED = "cancelled", "Cancelled"
        HELD = "held", "Held back"  # by a pause, a circuit breaker, or after a restored backup

    kind = models.CharField(max_length=15, choices=Kind.choices)
    dedupe_key = models.CharField(max_length=200, unique=True)
    invitation = models.ForeignKey(
        Invitation, null=True, on_delete=models.CASCADE, related_name="messages"
    )
    reminder = models.ForeignKey(
        Reminder, null=True, on_delete=models.SET_NULL, related_name="messages"
    )
    survey = models.ForeignKey(  # of a test, an alarm
        Survey, null=True, on_delete=models.CASCADE, related_name="messages"
    )
    language = models.CharField(max_length=10, blank=True)  # of a test
    task = models.ForeignKey(
        OutreachTask, null=True, on_delete=models.CASCADE, related_name="messages"
    )
    confirmation = models.ForeignKey(
        Confirmation, null=True, on_delete=models.CASCADE, related_name="messages", db_index=False
    )
    user = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="messages")
    escalation = models.ForeignKey(
        Escalation, null=True, on_delete=models.CASCADE, related_name="messages", db_index=False
    )
    recipient = models.ForeignKey(  # who has no log-in, in place of a user
        EscalationRecipient, null=True, on_delete=models.CASCADE, related_name="messages",
        db_index=False,
    )  # fmt: skip
    state = models.CharField(max_length=9, choices=State.choices, default=State.QUEUED)
    next_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)  # counted at the claim
    refusals = models.PositiveSmallIntegerField(default=0)  # those that ended in “later, please”
    lease = models.UUIDField(null=True)  # the fence: only the claim that set it may write
    lease_until = models.DateTimeField(null=True)
    sender = models.BigIntegerField(null=True)  # the advisory lock that its living sender holds
    handed_at = models.DateTimeField(null=True)  # from here on the server may have accepted it
    sent_at = models.DateTimeField(null=True)
    provider_id = models.CharField(max_length=200, blank=True)  # the provider's own name for it
    message_id = models.CharField("Message-ID", max_length=120, blank=True)
    last_error = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()

    objects = Messages.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                name="message_has_one_subject",
                condition=Q(
                    kind__in=["invitation", "reminder", "heads_up"], invitation__isnull=False
                )
                | Q(kind="confirmation", confirmation__isnull=False, invitation__isnull=False)
                | Q(kind="task_mail", task__isnull=False)
                | Q(kind="task_opened", task__isnull=False, user__isnull=False)
                | Q(kind="denied", confirmation__isnull=False, user__isnull=False)
                | Q(kind="denied", confirmation__isnull=False, recipient__isnull=False)
                | Q(kind="test", survey__isnull=False, user__isnull=False)
                | Q(
                    kind__in=["contact_bounced", "contact_silent", "replied"],
                    invitation__isnull=False,
                    user__isnull=False,
                )
                | Q(kind="escalation", escalation__isnull=False, user__isnull=False)
                | Q(kind="escalation", escalation__isnull=False, recipient__isnull=False)
                | Q(
                    kind__in=["welcome", "password_reset", "alarm", "digest", "chat_stopped"],
                    user__isnull=False,
                ),
            ),
            models.CheckConstraint(
                name="sent_message_has_a_date",
                condition=~Q(state="sent") | Q(sent_at__isnull=False),
            ),
            models.CheckConstraint(
                name="sending_message_has_a_lease",
                condition=~Q(state="sending") | Q(lease__isnull=False, lease_until__isnull=False),
            ),
        ]
        indexes = [
            models.Index(  # the claim
                F("next_at"), name="messages_queued", condition=Q(state="queued")
            ),
            models.Index(  # the claim of notices to staff, which do not queue behind a wave
                F("next_at"),
                name="notices_queued",
                condition=Q(state="queued") & ~Q(kind__in=["invitation", "reminder", "heads_up"]),
            ),
            models.Index(  # the sweep that looks for evidence; not by handed_at, for a change to an
                # indexed column costs an entry in every index, and that one changes for every mail
                F("created_at"),
                name="messages_in_doubt",
                condition=Q(state="in_doubt"),
            ),
            models.Index(  # the sweep that frees abandoned rows
                F("lease_until"), name="messages_sending", condition=Q(state="sending")
            ),
            models.Index(  # the provider's webhooks, which name a mail in their own way
                F("provider_id"), name="messages_at_provider", condition=~Q(provider_id="")
            ),
            models.Index(  # partial, so that the mails of a wave do not pay for it
                F("escalation"),
                name="messages_of_escalation",
                condition=Q(escalation__isnull=False),
            ),
            models.Index(
                F("recipient"), name="messages_to_recipient", condition=Q(recipient__isnull=False)
            ),
            models.Index(
                F("confirmation"),
                name="messages_of_confirmation",
                condition=Q(confirmation__isnull=False),
            ),
            models.Index(  # the circuit breaker: a survey's latest
                F("sent_at"),
                name="messages_sent",
                condition=Q(state="sent", kind__in=["invitation", "reminder"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {self.get_state_display().lower()}"

    @classmethod
    def to(cls, person: Person, key: str, **fields: Any) -> Message:
        """To a colleague, or to somebody without a log-in; not saved. `key` and they say “once”."""
        whom = "user" if isinstance(person, User) else "recipient"
        return cls(dedupe_key=f"{key}:{code_of(person)}", **{whom: person}, **fields)
