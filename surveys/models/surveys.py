"""What we ask: the kinds of question, their scales and bands, and the programs that ask them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

if TYPE_CHECKING:
    from surveys.models.wording import Wording


class NoWording(Exception):
    """The survey has no words in any language yet."""


class Kind(models.TextChoices):
    """The three questions of the field, with their scales (inclusive)."""

    NPS = "nps", "NPS (0-10)"
    CSAT = "csat", "CSAT (1-5)"
    CES = "ces", "CES (1-7)"

    @property
    def scale(self) -> range:
        return {"nps": range(11), "csat": range(1, 6), "ces": range(1, 8)}[self.value]


class Band(models.TextChoices):
    PROMOTER = "promoter", "Promoter"
    PASSIVE = "passive", "Passive"
    DETRACTOR = "detractor", "Detractor"


# Lowest and highest score of each band (Reichheld 2003 for NPS; top-two-box for CSAT; 5-7 for CES).
BANDS: dict[str, dict[str, tuple[int, int]]] = {
    Kind.NPS: {Band.DETRACTOR: (0, 6), Band.PASSIVE: (7, 8), Band.PROMOTER: (9, 10)},
    Kind.CSAT: {Band.DETRACTOR: (1, 2), Band.PASSIVE: (3, 3), Band.PROMOTER: (4, 5)},
    Kind.CES: {Band.DETRACTOR: (1, 3), Band.PASSIVE: (4, 4), Band.PROMOTER: (5, 7)},
}


class Family(models.Model):
    """Surveys that count as one when we ask who was asked lately, and who wants no more of them."""

    name = models.CharField(max_length=120, unique=True)
    throttle_days = models.PositiveSmallIntegerField(
        default=30,
        validators=[MaxValueValidator(365)],
        help_text="Nobody is asked by this family twice within so many days. Reminders are exempt.",
    )

    class Meta:
        verbose_name_plural = "families"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Survey(models.Model):
    """One program of asking, such as “NPS, twice a year” or “CSAT after a ticket”."""

    name = models.CharField(max_length=120, unique=True)
    family = models.ForeignKey(
        Family,
        blank=True,
        on_delete=models.PROTECT,
        related_name="surveys",
        help_text="Empty: a family of its own.",
    )
    kind = models.CharField(max_length=4, choices=Kind.choices, default=Kind.NPS)
    product = models.CharField(
        "product or touchpoint",
        max_length=80,
        blank=True,
        help_text="What it asks about, such as “Mobile app” or “Support”.",
    )
    language = models.CharField(
        "fallback language",
        max_length=10,
        default="en",
        choices=settings.LANGUAGES,
        help_text="Used for customers whose own language has no wording.",
    )
    sender_name = models.CharField(
        max_length=80, blank=True, help_text="Shown as the sender. Empty: the company's name."
    )
    brand = models.ForeignKey(
        "surveys.Brand",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="surveys",
        help_text="Logo, colours and review site. Empty: the company's name and our blue.",
    )
    valid_days = models.PositiveSmallIntegerField(
        default=30,
        validators=[MinValueValidator(1), MaxValueValidator(365)],
        help_text="How long a link in an invitation can be answered.",
    )
    send_from = models.PositiveSmallIntegerField(
        "send from (hour)",
        default=8,
        validators=[MaxValueValidator(23)],
        help_text="In the customer's own time zone.",
    )
    send_until = models.PositiveSmallIntegerField(
        "send until (hour)", default=20, validators=[MinValueValidator(1), MaxValueValidator(24)]
    )
    working_days_only = models.BooleanField(
        default=True, help_text="Not on weekends and holidays of the customer's country."
    )
    silence_alert_days = models.PositiveSmallIntegerField(
        "alert about silent key contacts after (days)",
        default=14,
        help_text="Their account's owner is told. 0: nobody is.",
    )
    task_on_loyalty_drop = models.BooleanField(
        "task when loyalty drops",
        default=False,
        help_text="Also for a customer who was a promoter and now is passive, or whose score fell "
        "by 3 or more. Detractors always get one.",
    )
    paused_reason = models.CharField(  # set by the circuit breaker; a person resumes
        max_length=200, blank=True, editable=False
    )
    resumed_at = models.DateTimeField(  # the circuit breaker counts from here on
        null=True, editable=False
    )
    # The invitation up to which mails follow a pause or resume; empty: all of them do.
    settled_up_to = models.BigIntegerField(null=True, editable=False)
    is_open = models.BooleanField(
        "open", default=True, help_text="A closed survey sends nothing and takes no answers."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                name="survey_window_opens_before_it_closes",
                condition=Q(send_from__lt=F("send_until")),
            ),
            models.CheckConstraint(name="survey_kind_is_known", condition=Q(kind__in=Kind.values)),
            # Target of a foreign key (survey, kind) from each response, so that the copy is true.
            models.UniqueConstraint(fields=["id", "kind"], name="survey_with_its_kind"),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.family_id is None:
            self.family = Family.objects.get_or_create(name=self.name)[0]
        super().save(*args, **kwargs)

    @property
    def scale(self) -> range:
        return Kind(self.kind).scale

    def wording_for(self, language: str) -> Wording:
        """The wording in `language`, else in its base language, else in the fallback language.

        Raises NoWording.
        """
        by_language = {wording.language: wording for wording in self.wordings.all()}
        for choice in (language, language.split("-")[0], self.language):
            if choice in by_language:
                return by_language[choice]
        if by_language:
            return by_language[min(by_language)]
        raise NoWording(f"“{self}” has no wording yet: add one before asking.")

    def reasons_for(self, language: str) -> list[tuple[str, str]]:
        """The reasons to choose from, as (key, label); keys are the same in every language.

        Raises NoWording.
        """
        return self.wording_for(language).choices
