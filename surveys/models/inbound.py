"""What the world tells us: mails that come in, reports of what became of ours, events elsewhere."""

from __future__ import annotations

from django.core.validators import MaxValueValidator
from django.db import IntegrityError, models, transaction
from django.db.models import Q

from surveys.models.invitations import Invitation
from surveys.models.outbox import Message
from surveys.models.people import Customer
from surveys.models.staff import User
from surveys.models.surveys import Survey
from surveys.models.visibility import owned


class InboundMails(models.QuerySet["InboundMail"]):
    def visible_to(self, user: User) -> InboundMails:
        return self.filter(owned(user, "customer__account__owner"))

    def keep(self, mail: InboundMail) -> bool:
        """Store it; False when a mail of this Message-ID is stored already."""
        try:
            with transaction.atomic():
                mail.save(force_insert=True)
        except IntegrityError:
            if not self.filter(message_id=mail.message_id).exists():
                raise
            return False
        return True


class InboundMail(models.Model):
    """A mail that came in, once: mailboxes and webhooks may bring it twice."""

    class Kind(models.TextChoices):
        REPLY = "reply", "Reply"
        AUTO_REPLY = "auto_reply", "Automatic reply"
        OURS = "ours", "Written by a colleague"
        BOUNCE = "bounce", "Bounce"
        COMPLAINT = "complaint", "Spam complaint"
        OTHER = "other", "Other"

    message_id = models.CharField("Message-ID", max_length=250, unique=True)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    customer = models.ForeignKey(
        Customer, null=True, blank=True, on_delete=models.CASCADE, related_name="mails"
    )
    invitation = models.ForeignKey(
        Invitation, null=True, blank=True, on_delete=models.SET_NULL, related_name="mails"
    )
    sender = models.CharField("from", max_length=254, blank=True)
    subject = models.CharField(max_length=200, blank=True)
    text = models.TextField(blank=True)
    received_at = models.DateTimeField()

    objects = InboundMails.as_manager()

    class Meta:
        verbose_name = "incoming mail"
        ordering = ["-received_at"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.subject}"


class DeliveryEvent(models.Model):
    """What became of one of our mails, as its receiver or provider reported it; each once."""

    class Kind(models.TextChoices):
        DELIVERED = "delivered", "Delivered"
        SOFT_BOUNCE = "soft_bounce", "Soft bounce"
        HARD_BOUNCE = "hard_bounce", "Hard bounce"
        COMPLAINT = "complaint", "Spam complaint"
        UNSUBSCRIBED = "unsubscribed", "Unsubscribed"

    source = models.CharField(max_length=40)  # "smtp", "mailbox", or the provider's name
    event_id = models.CharField(max_length=250)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    message = models.ForeignKey(Message, null=True, on_delete=models.CASCADE, related_name="events")
    survey = models.ForeignKey(  # of an invitation or reminder; the circuit breaker counts by it
        Survey, null=True, on_delete=models.CASCADE, related_name="+"
    )
    detail = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField()

    class Meta:
        ordering = ["-at"]
        constraints = [
            models.UniqueConstraint(fields=["source", "event_id"], name="delivery_event_once")
        ]
        indexes = [
            models.Index(
                fields=["survey", "-at"],
                name="bounces_and_complaints",
                condition=Q(kind__in=["hard_bounce", "complaint"]),
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.source})"


class Trigger(models.Model):
    """A rule: when this happens in that system, ask this survey after a while."""

    survey = models.ForeignKey(Survey, on_delete=models.CASCADE, related_name="triggers")
    source = models.CharField(
        max_length=40,
        help_text="zendesk, freshdesk, salesforce, intercom, or how another names itself.",
    )
    happening = models.CharField(
        max_length=60, help_text="Such as ticket.solved; the list of triggers names the usual ones."
    )
    product = models.CharField(
        "product or touchpoint", max_length=80, blank=True, help_text="Empty: any."
    )
    delay_hours = models.PositiveSmallIntegerField(
        "ask after (hours)",
        default=24,
        validators=[MaxValueValidator(720)],
        help_text="24 lets a solved ticket settle. 0: at once.",
    )
    is_active = models.BooleanField("active", default=True)

    class Meta:
        ordering = ["source", "happening"]
        constraints = [
            models.UniqueConstraint(
                fields=["survey", "source", "happening", "product"], name="trigger_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.source}: {self.happening} asks “{self.survey}”"

    def clean(self) -> None:
        self.source, self.happening = self.source.strip().lower(), self.happening.strip().lower()


class Events(models.QuerySet["Event"]):
    def visible_to(self, user: User) -> Events:
        return self.filter(owned(user, "customer__account__owner"))

    def waiting(self) -> Events:
        """Still to be decided on, now or later."""
        return self.filter(decided_at=None, ask_at__isnull=False)


class Event(models.Model):
    """Something that happened to a customer in another system; told twice, it is stored once."""

    class Outcome(models.TextChoices):
        WAITING = "waiting", "Waiting for its time"
        DECIDED = "decided", "Decided"  # the invitation says whether they were asked, and why not
        NO_TRIGGER = "no_trigger", "Not asked: no active trigger fits"
        SUPERSEDED = "superseded", "Not asked: it went on before its time came"
        SURVEY_CLOSED = "survey_closed", "Not asked: the survey is closed"
        NO_WORDING = "no_wording", "Not asked: the survey has no words"
        TOO_LATE = "too_late", "Not asked: too long ago"

    source = models.CharField(max_length=40)
    external_id = models.CharField(max_length=100)
    happening = models.CharField(max_length=60)
    subject = models.CharField(max_length=100, blank=True)  # what it happened to: "ticket:4711"
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="events")
    product = models.CharField("product or touchpoint", max_length=80, blank=True)
    trigger = models.ForeignKey(  # the rule that fits; none: nothing is asked
        Trigger, null=True, on_delete=models.SET_NULL, related_name="events"
    )
    ask_at = models.DateTimeField(null=True)
    invitation = models.ForeignKey(
        Invitation, null=True, on_delete=models.SET_NULL, related_name="events"
    )
    outcome = models.CharField(max_length=13, choices=Outcome.choices, default=Outcome.WAITING)
    decided_at = models.DateTimeField(null=True)
    happened_at = models.DateTimeField()
    received_at = models.DateTimeField()

    objects = Events.as_manager()

    class Meta:
        ordering = ["-received_at"]
        constraints = [
            models.UniqueConstraint(fields=["source", "external_id"], name="event_once"),
            models.CheckConstraint(
                name="event_waits_until_it_is_decided",
                condition=Q(outcome="waiting", decided_at=None, ask_at__isnull=False)
                | (~Q(outcome="waiting") & Q(decided_at__isnull=False)),
            ),
        ]
        indexes = [
            models.Index(  # read by the sweep that asks
                fields=["ask_at"],
                name="events_to_ask",
                condition=Q(decided_at=None, ask_at__isnull=False),
            ),
            models.Index(  # what a later event about the same supersedes
                fields=["source", "subject"],
                name="events_of_a_subject",
                condition=Q(decided_at=None) & ~Q(subject=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.external_id}: {self.happening}"


class MailLane(models.Model):
    """The way to the mail server. Paused while it is at fault: that says nothing of an address."""

    name = models.CharField(max_length=40, primary_key=True)
    paused_until = models.DateTimeField(null=True)
    faults = models.PositiveSmallIntegerField(default=0)  # in a row
    reason = models.CharField(max_length=300, blank=True)
    since = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name
