"""What we ask, in which words, and whom in one go."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from surveys.models.people import Customer
from surveys.models.staff import User


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


class Survey(models.Model):
    """One program of asking, such as “NPS, twice a year” or “CSAT after a ticket”."""

    name = models.CharField(max_length=120, unique=True)
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
    valid_days = models.PositiveSmallIntegerField(
        default=30,
        validators=[MinValueValidator(1), MaxValueValidator(365)],
        help_text="How long a link in an invitation can be answered.",
    )
    is_open = models.BooleanField(
        "open", default=True, help_text="A closed survey sends nothing and takes no answers."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(name="survey_kind_is_known", condition=Q(kind__in=Kind.values)),
            # Target of a foreign key (survey, kind) from each response, so that the copy is true.
            models.UniqueConstraint(fields=["id", "kind"], name="survey_with_its_kind"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def scale(self) -> range:
        return Kind(self.kind).scale

    def wording_for(self, language: str) -> Wording:
        """The wording in `language`, else in its base language, else in the fallback language.

        Raises Wording.DoesNotExist when the survey has no words at all.
        """
        by_language = {wording.language: wording for wording in self.wordings.all()}
        for choice in (language, language.split("-")[0], self.language):
            if choice in by_language:
                return by_language[choice]
        if by_language:
            return by_language[min(by_language)]
        raise Wording.DoesNotExist(f"“{self}” has no wording yet: add one before asking.")


class Wording(models.Model):
    """A survey's words in one language. `{name}`, `{company}` and `{product}` are filled in."""

    survey = models.ForeignKey(Survey, on_delete=models.CASCADE, related_name="wordings")
    language = models.CharField(max_length=10, choices=settings.LANGUAGES, default="en")
    subject = models.CharField(max_length=120)
    greeting = models.CharField(max_length=120, default="Hello {name},")
    intro = models.TextField(max_length=600, blank=True)
    question = models.CharField(max_length=200)
    low_label = models.CharField("label of the lowest score", max_length=40)
    high_label = models.CharField("label of the highest score", max_length=40)
    comment_label = models.CharField("the open question", max_length=160)
    thanks = models.TextField(max_length=400)

    class Meta:
        ordering = ["language"]
        constraints = [
            models.UniqueConstraint(fields=["survey", "language"], name="wording_once_per_language")
        ]

    def __str__(self) -> str:
        return f"{self.survey}, {self.get_language_display()}"


class Wave(models.Model):
    """One round of invitations: an audience, asked together, each customer once."""

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        PLANNING = "planning", "Planning"  # launched; invitations are being written in batches
        LAUNCHED = "launched", "Launched"

    survey = models.ForeignKey(Survey, on_delete=models.PROTECT, related_name="waves")
    name = models.CharField(max_length=120)
    product = models.CharField(
        "product or touchpoint", max_length=80, blank=True, help_text="Empty: the survey's own."
    )
    segment = models.CharField(max_length=60, blank=True, help_text="Empty: every segment.")
    language = models.CharField(max_length=10, blank=True, help_text="Empty: every language.")
    owner = models.ForeignKey(
        User,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name="account owner",
        help_text="Empty: the accounts of everyone.",
    )
    key_contacts_only = models.BooleanField(default=False)
    state = models.CharField(
        max_length=8, choices=State.choices, default=State.DRAFT, editable=False
    )
    launched_at = models.DateTimeField(null=True, editable=False)
    launched_by = models.ForeignKey(
        User, null=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    planned_up_to = models.BigIntegerField(  # the checkpoint that lets a killed planner go on
        default=0, editable=False
    )

    class Meta:
        ordering = ["-launched_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["survey", "name"], name="wave_name_once_per_survey"),
            models.CheckConstraint(
                name="launched_wave_has_a_date",
                condition=Q(state="draft") | Q(launched_at__isnull=False),
            ),
        ]
        indexes = [
            models.Index(  # read by the sweep that plans launched waves
                fields=["launched_at"], name="wave_to_plan", condition=Q(state="planning")
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def occasion(self) -> str:
        return f"wave:{self.pk}"

    def audience(self) -> models.QuerySet[Customer]:
        """The customers this wave asks about; who of them cannot be asked is decided one by one."""
        customers = Customer.objects.all()
        if self.segment:
            inherited = Q(segment="", account__segment=self.segment)
            customers = customers.filter(Q(segment=self.segment) | inherited)
        if self.language:
            customers = customers.filter(language=self.language)
        if self.owner_id:
            customers = customers.filter(account__owner=self.owner_id)
        if self.key_contacts_only:
            customers = customers.filter(is_key_contact=True)
        return customers
