"""The decision to ask one customer on one occasion, and the secret links that follow from it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import F, FilteredRelation, Q
from django.utils import timezone

from surveys.models.people import Customer
from surveys.models.staff import User
from surveys.models.surveys import Survey
from surveys.models.visibility import owned
from surveys.models.waves import Channel, Wave

FLOOR = timedelta(hours=24)  # between two surveys to one customer, whatever is set


class Purpose(models.TextChoices):
    """What a link is for: a link for one purpose opens nothing else."""

    ANSWER = "answer"
    UNSUBSCRIBE = "unsubscribe"
    PRIVACY = "privacy"  # see and delete one's own answers
    CONFIRM = "confirm"  # say whether somebody got back; of a closed task, not of an invitation


def token(purpose: str, seed: bytes) -> str:
    """26 lower-case base32 characters (130 bits), HMAC-SHA256 of purpose and seed (RFC 2104, 4648).

    Derived, never stored: a mail can be rendered again after a crash, and a stolen database holds
    no link that works.
    """
    mac = hmac.digest(settings.LINK_KEY.encode(), purpose.encode() + b"|" + seed, hashlib.sha256)
    return base64.b32encode(mac)[:26].decode().lower()


def token_digest(text: str) -> bytes:
    """What the database keeps of a token; case-folded, as some mail programs change the case."""
    return hashlib.sha256(text.lower().encode("utf-8", "replace")).digest()


def new_seed() -> bytes:
    return secrets.token_bytes(16)


class Invitations(models.QuerySet["Invitation"]):
    def visible_to(self, user: User) -> Invitations:
        return self.filter(owned(user, "customer__account__owner"))

    def unanswered(self) -> Invitations:
        """Sent, and no person has answered; each with its `sent_at`."""
        sent = Q(messages__kind="invitation", messages__state="sent")
        return (
            self.alias(mail=FilteredRelation("messages", condition=sent))
            .filter(Q(response=None) | Q(response__verdict="machine"), mail__isnull=False)
            .annotate(sent_at=F("mail__sent_at"))
        )

    def by_token(self, text: str, purpose: str = Purpose.ANSWER) -> Invitations:
        return self.filter(**{f"{purpose}_digest": token_digest(text)})


class Invitation(models.Model):
    """One row per customer and occasion, also when the decision was not to ask, with its reason."""

    class Decision(models.TextChoices):
        ASK = "ask", "Asked"
        NO_ADDRESS = "no_address", "Not asked: no e-mail address"
        SUPPRESSED = "suppressed", "Not asked: unsubscribed, bounced or complained"
        THROTTLED = "throttled", "Not asked: asked too recently"

    class Throttle(models.TextChoices):
        """Which of the three rules kept a customer from being asked again so soon."""

        FLOOR = "floor", "within 24 hours of another survey"
        FAMILY = "family", "too soon after one of the same family"
        GLOBAL = "global", "too soon after another survey"

    survey = models.ForeignKey(Survey, on_delete=models.PROTECT, related_name="invitations")
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="invitations")
    wave = models.ForeignKey(Wave, null=True, on_delete=models.PROTECT, related_name="invitations")
    occasion = models.CharField(max_length=160)  # "wave:7"; an event's source and id
    product = models.CharField(max_length=80, blank=True)
    language = models.CharField(max_length=10)
    decision = models.CharField(max_length=10, choices=Decision.choices, default=Decision.ASK)
    throttled_by = models.CharField(max_length=6, choices=Throttle.choices, blank=True)
    channel = models.CharField(max_length=4, choices=Channel.choices, default=Channel.MAIL)
    link_given_at = models.DateTimeField(  # to somebody who hands it over; of a mailed one, too
        "link handed over", null=True, editable=False
    )
    seed = models.BinaryField(max_length=16, default=new_seed, editable=False)
    answer_digest = models.BinaryField(max_length=32, unique=True, editable=False)
    unsubscribe_digest = models.BinaryField(max_length=32, unique=True, editable=False)
    privacy_digest = models.BinaryField(max_length=32, unique=True, editable=False)
    created_at = models.DateTimeField()
    send_at = models.DateTimeField()  # as planned; the throttles count from here
    expires_at = models.DateTimeField()

    objects = Invitations.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["survey", "customer", "occasion"], name="invitation_once_per_occasion"
            ),
            models.CheckConstraint(
                name="invitation_decision_is_known",
                condition=Q(decision__in=["ask", "no_address", "suppressed", "throttled"]),
            ),
            models.CheckConstraint(
                name="invitation_channel_is_known", condition=Q(channel__in=Channel.values)
            ),
            models.CheckConstraint(
                name="only_links_of_the_asked_are_given",
                condition=Q(link_given_at=None) | Q(decision="ask"),
            ),
        ]
        indexes = [
            models.Index(  # who was asked lately
                fields=["customer", "-send_at"],
                name="invitations_of_customer",
                condition=Q(decision="ask"),
            ),
            models.Index(  # the response rate of a month
                fields=["survey", "created_at"],
                name="invitations_asked",
                condition=Q(decision="ask"),
            ),
            models.Index(  # whom to remind
                fields=["survey", "expires_at"],
                name="invitations_answerable",
                condition=Q(decision="ask"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.survey} to {self.customer}, {self.created_at:%Y-%m-%d}"

    def save(self, *args, **kwargs) -> None:
        self.seal()
        super().save(*args, **kwargs)

    def seal(self) -> Invitation:
        """Write down what follows from the rest: the digests of the links, and when to send."""
        self.send_at = self.send_at or self.created_at
        self.answer_digest = token_digest(self.token(Purpose.ANSWER))
        self.unsubscribe_digest = token_digest(self.token(Purpose.UNSUBSCRIBE))
        self.privacy_digest = token_digest(self.token(Purpose.PRIVACY))
        return self

    def token(self, purpose: str = Purpose.ANSWER) -> str:
        return token(purpose, bytes(self.seed))

    def has_expired(self, now: datetime | None = None) -> bool:
        return (now or timezone.now()) >= self.expires_at
