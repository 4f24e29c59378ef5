"""Whom we ask in one go."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Subquery, Value
from django.db.models.functions import MD5, Cast, Concat

from surveys.models.people import Account, Customer
from surveys.models.staff import User
from surveys.models.surveys import Band, Survey


class Channel(models.TextChoices):
    """How an invitation reaches its customer: by our mail, or by whatever means others have."""

    MAIL = "mail", "E-mail"
    LINK = "link", "Link to hand over"


class Waves(models.QuerySet["Wave"]):
    def with_product(self) -> Waves:
        """Each with `product_asked`, the product or touchpoint that its invitations are about."""
        own = models.When(~Q(product=""), then=F("product"))
        return self.annotate(product_asked=models.Case(own, default=F("survey__product")))


class Wave(models.Model):
    """One round of invitations: an audience, asked together, each customer once."""

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        PLANNING = "planning", "Planning"  # launched; invitations are being written in batches
        LAUNCHED = "launched", "Launched"
        PAUSED = "paused", "Paused"  # nothing more is planned or sent until it is resumed
        STOPPED = "stopped", "Stopped"

    survey = models.ForeignKey(Survey, on_delete=models.PROTECT, related_name="waves")
    name = models.CharField(max_length=120)
    product = models.CharField(
        "product or touchpoint", max_length=80, blank=True, help_text="Empty: the survey's own."
    )
    channel = models.CharField(
        "asked by",
        max_length=4,
        choices=Channel.choices,
        default=Channel.MAIL,
        help_text="Links are downloaded here and handed over by other means: text message, chat, "
        "letter. No mail is sent, and no e-mail address is needed.",
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
    account = models.ForeignKey(
        Account,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Empty: every account.",
    )
    not_asked_for_days = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Only who was last asked so many days ago, or never."
    )
    last_band = models.CharField(
        "last answer",
        max_length=10,
        choices=Band.choices,
        blank=True,
        help_text="Empty: whatever they answered last, or nothing.",
    )
    last_score_from = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="On this survey's scale, in their last answer of its kind."
    )
    last_score_to = models.PositiveSmallIntegerField(null=True, blank=True)
    property_name = models.CharField(max_length=60, blank=True)
    property_value = models.CharField(max_length=200, blank=True)
    sample_size = models.PositiveIntegerField(
        null=True, blank=True, help_text="Ask so many of them, chosen by chance. Empty: all."
    )
    starts_on = models.DateField(
        null=True, blank=True, help_text="The first day of sending. Empty: the day of the launch."
    )
    spread_days = models.PositiveSmallIntegerField(
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(366)],
        help_text="Sent evenly over so many days.",
    )
    at_once = models.BooleanField(
        "send at once", default=False, help_text="Do not wait for the survey's send window."
    )
    heads_up_days = models.PositiveSmallIntegerField(
        "heads-up mail (days before)",
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(30)],
        help_text="The account's owner announces the survey before. Empty: nobody does.",
    )
    key_contacts_only = models.BooleanField(default=False)
    state = models.CharField(
        max_length=8, choices=State.choices, default=State.DRAFT, editable=False
    )
    launched_at = models.DateTimeField(null=True, editable=False)
    launched_by = models.ForeignKey(
        User, null=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    audience_size = models.PositiveIntegerField(null=True, editable=False)  # at the launch
    sample_cut = models.CharField(  # the highest lot that is drawn; empty: everybody is
        max_length=32, blank=True, editable=False
    )
    # The invitation up to which mails follow a pause, resume or stop; empty: all of them do.
    settled_up_to = models.BigIntegerField(null=True, editable=False)
    planned_up_to = models.BigIntegerField(  # the checkpoint that lets a killed planner go on
        default=0, editable=False
    )
    dealt = models.JSONField(default=dict, editable=False)  # whose turn it is (loop/schedule.py)

    objects = Waves.as_manager()

    class Meta:
        ordering = ["-launched_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["survey", "name"], name="wave_name_once_per_survey"),
            models.CheckConstraint(
                name="launched_wave_has_a_date",
                condition=Q(state="draft") | Q(launched_at__isnull=False),
            ),
            models.CheckConstraint(
                name="wave_channel_is_known", condition=Q(channel__in=Channel.values)
            ),
        ]
        indexes = [
            models.Index(  # read by the sweep that plans launched waves
                fields=["launched_at"], name="wave_to_plan", condition=Q(state="planning")
            )
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if self.channel == Channel.LINK and (
            self.starts_on or self.heads_up_days or self.at_once or self.spread_days > 1
        ):
            raise ValidationError(
                "Nothing is sent by this wave: leave the fields under “Sending” as they were, and "
                "hand the links over when it suits."
            )
        low, high = self.last_score_from, self.last_score_to
        if low is not None and high is not None and low > high:
            raise ValidationError({"last_score_to": "The scores end before they begin."})

    @property
    def occasion(self) -> str:
        return f"wave:{self.pk}"

    def audience(self, now: datetime) -> models.QuerySet[Customer]:
        """The customers this wave asks about; who of them cannot be asked is decided one by one.

        “Not asked for so many days” counts back from `now`. Of a sample, those who are drawn: by
        lot until the launch fixes the lots, so that the same ones stay drawn.
        """
        customers = self._everybody(now)
        if self.sample_cut:
            return customers.filter(lot__lte=self.sample_cut)
        if self.sample_size is None:
            return customers
        drawn = customers.order_by("lot").values("pk")[: self.sample_size]
        return customers.filter(pk__in=drawn)

    def highest_lot(self, now: datetime) -> str:
        """Of the last customer who is drawn; empty when everybody is."""
        if not self.sample_size:
            return ""
        lots = self._everybody(now).order_by("lot").values_list(self._lot(), flat=True)
        return next(iter(lots[self.sample_size - 1 : self.sample_size]), "")

    def _lot(self) -> MD5:
        """Chance that anybody can check: another order for each wave, the same every time."""
        return MD5(Concat(Cast("pk", models.CharField()), Value(f":{self.pk}")))

    def _everybody(self, now: datetime) -> models.QuerySet[Customer]:
        customers = Customer.objects.known().alias(lot=self._lot())
        if self.segment:
            inherited = Q(segment="", account__segment=self.segment)
            customers = customers.filter(Q(segment=self.segment) | inherited)
        if self.language:
            customers = customers.filter(language=self.language)
        if self.owner_id:
            customers = customers.filter(account__owner=self.owner_id)
        if self.account_id:
            customers = customers.filter(account=self.account_id)
        if self.key_contacts_only:
            customers = customers.filter(is_key_contact=True)
        if self.property_name:
            wanted = {"properties__value": self.property_value} if self.property_value else {}
            customers = customers.filter(properties__name=self.property_name, **wanted)
        if self.not_asked_for_days:
            since = now - timedelta(days=self.not_asked_for_days)
            asked = Q(invitations__decision="ask", invitations__send_at__gt=since)
            customers = customers.exclude(Exists(_same_customer().filter(asked)))
        if self.last_band:
            answered = _same_customer().filter(responses__verdict="person", responses__band__gt="")
            latest = answered.order_by("-responses__answered_at").values("responses__band")[:1]
            customers = customers.alias(last_band=Subquery(latest)).filter(last_band=self.last_band)
        return self._by_last_score(customers)

    def _by_last_score(self, customers: models.QuerySet[Customer]) -> models.QuerySet[Customer]:
        """Those who have given a score of this kind, the last one between the two ends."""
        ends = {"gte": self.last_score_from, "lte": self.last_score_to}
        asked = {f"last_score__{end}": score for end, score in ends.items() if score is not None}
        if not asked:
            return customers
        scored = _same_customer().filter(
            responses__verdict="person",
            responses__kind=self.survey.kind,
            responses__score__isnull=False,
        )
        latest = scored.order_by("-responses__answered_at").values("responses__score")[:1]
        return customers.alias(last_score=Subquery(latest)).filter(**asked)


def _same_customer() -> models.QuerySet[Customer]:
    return Customer.objects.filter(pk=OuterRef("pk"))
