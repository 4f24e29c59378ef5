"""Those whom we ask: accounts, their customers, and the addresses that must not be written to."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone

from surveys.models import merges
from surveys.models.staff import User, known_time_zone
from surveys.models.visibility import owned

if TYPE_CHECKING:
    from surveys.models.surveys import Family, Survey


def merged_into(noun: str) -> models.ForeignKey:
    return models.ForeignKey(
        "self",
        null=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="signposts",
        verbose_name=f"{noun} it was merged into",
    )


class VisibleAccounts(models.QuerySet["Account"]):
    def visible_to(self, user: User) -> VisibleAccounts:
        return self.standing().filter(owned(user, "owner"))

    def standing(self) -> VisibleAccounts:
        """Without the signposts that merged ones leave."""
        return self.filter(merged_into=None)


class Account(models.Model):
    name = models.CharField(max_length=200, unique=True)
    external_id = models.CharField("CRM id", max_length=100, null=True, blank=True, unique=True)
    owner = models.ForeignKey(
        User,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="accounts",
        help_text="Gets an outreach task for every detractor of this account.",
    )
    segment = models.CharField(max_length=60, blank=True, db_index=True)
    region = models.CharField(max_length=60, blank=True)
    revenue = models.DecimalField(
        "yearly revenue",
        max_digits=14,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
    )
    renews_on = models.DateField("renewal date", null=True, blank=True)
    merged_into = merged_into("account")
    merged_at = models.DateTimeField(null=True, editable=False)

    objects = VisibleAccounts.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                name="account_revenue_is_not_negative",
                condition=Q(revenue__isnull=True) | Q(revenue__gte=0),
            ),
            models.CheckConstraint(  # so that nothing brings it back, such as a form opened before
                name="merged_account_is_a_signpost",
                condition=Q(merged_into=None, merged_at=None)
                | Q(
                    merged_into__isnull=False,
                    merged_at__isnull=False,
                    owner=None,
                    revenue=None,
                    segment="",
                    region="",
                ),
            ),
        ]
        indexes = [
            models.Index(  # the sweep that follows them up
                fields=["merged_at"],
                name="accounts_merged",
                condition=Q(merged_at__isnull=False),
            ),
            models.Index(  # the list of likely duplicates
                merges.name_key(),
                name="accounts_alike",
                condition=Q(merged_into=None),
                include=["name"],
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def standing(self) -> Account:
        """Itself, or the one it was merged into."""
        return self.merged_into or self


class VisibleCustomers(models.QuerySet["Customer"]):
    def visible_to(self, user: User) -> VisibleCustomers:
        """Nobody sees the forgotten ones: there is nothing left to see."""
        return self.known().filter(owned(user, "account__owner"))

    def known(self) -> VisibleCustomers:
        """Without the forgotten, and without the signposts that merged ones leave."""
        return self.filter(forgotten_at=None, merged_into=None)


class Customer(models.Model):
    """A person whom we may ask. Without an e-mail address they can answer, but not be invited.

    A forgotten one is a pseudonym: it holds scores together, and says nothing of whose they were.
    One merged into another is a signpost: its address and CRM id lead other systems to that one.
    """

    account = models.ForeignKey(
        Account, null=True, blank=True, on_delete=models.PROTECT, related_name="customers"
    )
    email = models.EmailField("e-mail", max_length=254, null=True, blank=True, unique=True)
    name = models.CharField(max_length=200, blank=True)
    phone = models.CharField(max_length=40, blank=True)
    external_id = models.CharField("CRM id", max_length=100, null=True, blank=True, unique=True)
    segment = models.CharField(max_length=60, blank=True, help_text="Empty: the account's segment.")
    language = models.CharField(max_length=10, blank=True, help_text="Such as en, de or pt-br.")
    time_zone = models.CharField(max_length=40, blank=True, validators=[known_time_zone])
    country = models.CharField(
        max_length=2, blank=True, help_text="Two letters such as DE, for its holidays."
    )
    is_key_contact = models.BooleanField("key contact", default=False)
    soft_bounces = models.PositiveSmallIntegerField(  # in a row, with no delivery between
        default=0, editable=False
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    forgotten_at = models.DateTimeField(null=True, editable=False)
    merged_into = merged_into("customer")
    merged_at = models.DateTimeField(null=True, editable=False)

    objects = VisibleCustomers.as_manager()
    personal = frozenset({"email", "name", "phone", "external_id"})  # not for the audit trail

    class Meta:
        ordering = ["name", "email"]
        constraints = [
            models.CheckConstraint(
                name="customer_email_is_lower_case",
                condition=Q(email__isnull=True) | Q(email=Lower("email")),
            ),
            models.CheckConstraint(  # so that nothing brings it back, such as a form opened before
                name="forgotten_customer_is_nobody",
                condition=Q(forgotten_at=None)
                | Q(email=None, external_id=None, account=None, name="", phone="", segment=""),
            ),
            models.CheckConstraint(
                name="merged_customer_is_a_signpost",
                condition=Q(merged_into=None, merged_at=None)
                | Q(
                    merged_into__isnull=False,
                    merged_at__isnull=False,
                    account=None,
                    name="",
                    phone="",
                    segment="",
                ),
            ),
        ]
        indexes = [
            models.Index(  # the sweep that follows them up
                fields=["merged_at"],
                name="customers_merged",
                condition=Q(merged_at__isnull=False),
            ),
            models.Index(  # the list of likely duplicates
                merges.name_key(),
                merges.domain_key(),
                name="customers_alike",
                condition=~Q(name="") & Q(email__isnull=False, merged_into=None),
                include=["name", "email"],
            ),
            models.Index(
                merges.phone_key(),
                name="customers_of_one_phone",
                condition=~Q(phone="") & Q(merged_into=None),
                include=["phone"],
            ),
        ]

    def __str__(self) -> str:
        if self.forgotten_at:
            return f"Forgotten customer {self.pk}"
        if self.merged_into_id:
            return f"Customer {self.pk}, merged into customer {self.merged_into_id}"
        return self.name or self.email or f"Customer {self.pk}"

    def clean(self) -> None:
        self.email = self.email.strip().lower() if self.email else None

    @property
    def standing(self) -> Customer:
        """Themselves, or the one they were merged into."""
        return self.merged_into or self

    @property
    def current_segment(self) -> str:
        return self.segment or (self.account.segment if self.account else "")


class CustomerProperty(models.Model):
    """What else the company knows of a customer, such as plan = Gold; audiences ask for it."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="properties")
    name = models.CharField(max_length=60)
    value = models.CharField(max_length=200)

    class Meta:
        verbose_name_plural = "customer properties"
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["customer", "name"], name="property_once_per_customer")
        ]
        indexes = [models.Index(fields=["name", "value"], name="customers_by_property")]

    def __str__(self) -> str:
        return f"{self.name} = {self.value}"


class Suppression(models.Model):
    """An address we must not write to. Only a keyed hash is kept, so it survives an erasure."""

    class Reason(models.TextChoices):
        UNSUBSCRIBED = "unsubscribed", "Unsubscribed"
        BOUNCED = "bounced", "Mails came back"
        COMPLAINED = "complained", "Spam complaint"
        FORGOTTEN = "forgotten", "Forgotten"

    # A person's own word, which holds on every channel; a bounce says that mails do not arrive.
    SAID = (Reason.UNSUBSCRIBED, Reason.COMPLAINED, Reason.FORGOTTEN)

    digest = models.BinaryField(max_length=32, editable=False)
    family = models.ForeignKey(
        "surveys.Family",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        help_text="Empty: no survey at all.",
    )
    reason = models.CharField(max_length=12, choices=Reason.choices)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "digest", "family", name="suppression_once", nulls_distinct=False
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_reason_display()} on {self.at:%Y-%m-%d}"

    @staticmethod
    def hash(email: str) -> bytes:
        """32 bytes, HMAC-SHA256 of the lower-case address; useless without LINK_KEY."""
        key = b"suppression|" + settings.LINK_KEY.encode()
        return hmac.digest(key, email.strip().lower().encode(), hashlib.sha256)

    @classmethod
    def add(cls, email: str, reason: str, at: datetime, family: Family | None = None) -> bool:
        """Stop one family's mails to the address, or all without `family`. True if that was news.

        `reason` is one of Suppression.Reason; what a person says outlasts a bounce noted before.
        """
        row, is_new = cls.objects.get_or_create(
            digest=cls.hash(email), family=family, defaults={"reason": reason, "at": at}
        )
        if not is_new and reason in cls.SAID and row.reason not in cls.SAID:
            row.reason, row.at = reason, at
            row.save(update_fields=["reason", "at"])
            return True
        return is_new

    @classmethod
    def among(
        cls, addresses: Iterable[str], survey: Survey, reasons: Iterable[str] = Reason.values
    ) -> set[str]:
        """Those of the addresses that `survey` must not write to, for one of the `reasons`."""
        by_digest = {cls.hash(address): address for address in addresses}
        here = Q(family=survey.family_id) | Q(family=None)
        rows = cls.objects.filter(here, digest__in=list(by_digest), reason__in=list(reasons))
        return {by_digest[bytes(digest)] for digest in rows.values_list("digest", flat=True)}
