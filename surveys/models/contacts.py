"""The evidence: every attempt to reach a customer, and what each of them proves."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import F, Q

from surveys.models.outreach import OutreachTask
from surveys.models.staff import User

MESSAGE_ID_LENGTH = 250


class Contact(models.Model):
    """One attempt to reach the customer. Reached means: spoke, met, replied or refused."""

    class Channel(models.TextChoices):
        PHONE = "phone", "Phone"
        EMAIL = "email", "E-mail"
        MEETING = "meeting", "Meeting"
        CHAT = "chat", "Chat or text message"

    class Outcome(models.TextChoices):
        SPOKE = "spoke", "Spoke"
        MET = "met", "Met"
        REPLIED = "replied", "Replied"
        REFUSED = "refused", "Reached, but refused to talk"
        LEFT_MESSAGE = "left_message", "Left a message"
        NO_ANSWER = "no_answer", "No answer"
        WRONG_PERSON = "wrong_person", "Wrong person"
        MAIL_SENT = "mail_sent", "Mail sent, no reply yet"

    REACHED = (Outcome.SPOKE, Outcome.MET, Outcome.REPLIED, Outcome.REFUSED)

    task = models.ForeignKey(OutreachTask, on_delete=models.PROTECT, related_name="contacts")
    user = models.ForeignKey(  # none: the customer wrote
        User, null=True, on_delete=models.SET_NULL, related_name="contacts"
    )
    channel = models.CharField(max_length=7, choices=Channel.choices)
    outcome = models.CharField(max_length=12, choices=Outcome.choices)
    note = models.TextField(max_length=2_000, blank=True)
    logged_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True)  # as somebody says; it decides nothing
    proven_at = models.DateTimeField(null=True)  # as our own mail server wrote into the mail
    message_id = models.CharField("Message-ID", max_length=MESSAGE_ID_LENGTH, blank=True)
    # One for all tasks of an account that one call or mail was about; none: it was about this one.
    conversation = models.UUIDField(null=True)

    class Meta:
        ordering = ["logged_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["task", "message_id"],
                name="mail_logged_once_per_task",
                condition=~Q(message_id=""),
            ),
            models.CheckConstraint(
                name="claim_is_of_the_past",
                condition=Q(claimed_at=None) | Q(claimed_at__lte=F("logged_at")),
            ),
            models.CheckConstraint(
                name="only_mails_prove_a_time",
                condition=Q(proven_at=None)
                | (Q(proven_at__lte=F("logged_at")) & ~Q(message_id="")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_channel_display()}: {self.get_outcome_display()}"

    @property
    def reached(self) -> bool:
        return self.outcome in self.REACHED

    @property
    def counts_from(self) -> datetime:
        """When it took place as far as deadlines go: proven, or else when it was logged."""
        return self.proven_at or self.logged_at
