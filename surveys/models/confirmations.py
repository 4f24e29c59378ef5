"""The customer's own word on a closed task: did somebody get back to them, and did it help?"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from surveys.models.invitations import Purpose, new_seed, token, token_digest
from surveys.models.outreach import OutreachTask

GOOD_FOR = timedelta(days=30)  # the link, from when it was mailed
WORDS_LENGTH = 2_000


class GotBack(models.TextChoices):
    YES = "yes", _("Yes, somebody did")
    NO = "no", _("No, nobody did")


class Helped(models.TextChoices):
    YES = "yes", _("It helped")
    PARTLY = "partly", _("It helped in part")
    NO = "no", _("It did not help")


class Confirmations(models.QuerySet["Confirmation"]):
    def by_token(self, text: str) -> Confirmations:
        return self.filter(digest=token_digest(text))

    def answered(self) -> Confirmations:
        return self.exclude(answered_at=None)


class Confirmation(models.Model):
    """One question about one closing. What a customer says is kept as it was said first."""

    task = models.ForeignKey(OutreachTask, on_delete=models.CASCADE, related_name="confirmations")
    number = models.PositiveSmallIntegerField()  # which closing of the task: 1, 2, ...
    claimed = models.BooleanField()  # when it was closed, we said that we had reached them
    asked_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    got_back = models.CharField(max_length=3, choices=GotBack.choices, blank=True)
    helped = models.CharField(max_length=6, choices=Helped.choices, blank=True)
    comment = models.TextField(max_length=WORDS_LENGTH, blank=True)
    seed = models.BinaryField(max_length=16, default=new_seed, editable=False)
    digest = models.BinaryField(max_length=32, unique=True, editable=False)

    objects = Confirmations.as_manager()

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["task", "number"], name="asked_once_per_closing"),
            models.CheckConstraint(
                name="confirmation_says_something_once_answered",
                condition=Q(answered_at=None, got_back="", helped="", comment="")
                | Q(answered_at__isnull=False, got_back__in=GotBack.values),
            ),
            models.CheckConstraint(
                name="confirmation_helped_is_known",
                condition=Q(helped__in=["", *Helped.values]),
            ),
        ]
        indexes = [
            models.Index(  # the rate of denied closings
                fields=["answered_at"],
                name="confirmations_answered",
                condition=Q(answered_at__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"Closing {self.number}: {self.get_got_back_display() or 'not answered'}"

    def save(self, *args, **kwargs) -> None:
        self.digest = token_digest(self.token)
        super().save(*args, **kwargs)

    @property
    def token(self) -> str:
        return token(Purpose.CONFIRM, bytes(self.seed))

    @property
    def is_denial(self) -> bool:
        """Nobody got back to them, or it did not help."""
        return self.got_back == GotBack.NO or self.helped == Helped.NO

    def has_expired(self, now: datetime) -> bool:
        return now >= self.asked_at + GOOD_FOR
