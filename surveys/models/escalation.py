"""Who is told when nobody reaches a customer: the policy, its steps, and whom they name.

What was told is kept once for each task and step, and that is what says “once”.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from surveys.models.outreach import DEADLINE, SECOND_DEADLINE, OutreachTask
from surveys.models.people import Account
from surveys.models.staff import User

TOKEN = re.compile(r"(\d{1,18})\.([ur])(\d{1,18})\.([a-z2-7]{26})", re.ASCII)
LATEST = 720  # hours: who has waited for a month is not helped by another mail
HOUR = timedelta(hours=1)


class Tier(models.IntegerChoices):
    OWNER = 1, "Owner"
    LEAD = 2, "Team lead"
    HEAD = 3, "Head"
    EXECUTIVE = 4, "Executive"


class Ranked(models.QuerySet):
    def most_particular_first(self) -> Ranked:
        """The highest value first, then those of one segment, then those for everybody."""
        by_value = F("from_revenue").desc(nulls_last=True)
        return self.order_by(by_value, F("segment").desc(), "pk")


class ForSomeAccounts(models.Model):
    """Holds for accounts of one segment, of a certain value, both, or for all."""

    segment = models.CharField(max_length=60, blank=True, help_text="Empty: every segment.")
    from_revenue = models.DecimalField(
        "from a yearly revenue of",
        max_digits=14,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text="Empty: whatever the account is worth.",
    )

    objects = Ranked.as_manager()

    class Meta:
        abstract = True

    @property
    def scope(self) -> tuple[str, Decimal | None]:
        return self.segment, self.from_revenue

    @property
    def whose(self) -> str:
        """Such as “Enterprise accounts from 100,000 EUR a year”."""
        kind = f"{self.segment} accounts" if self.segment else "All accounts"
        if self.from_revenue is None:
            return kind
        return f"{kind} from {self.from_revenue:,.0f} {settings.CURRENCY} a year"

    def covers(self, segment: str, account: Account | None) -> bool:
        if self.segment and self.segment != segment:
            return False
        worth = account.revenue if account else None
        return self.from_revenue is None or (worth is not None and worth >= self.from_revenue)

    def tasks(self) -> Q:
        """The same as a condition on tasks."""
        mine = Q(response__segment=self.segment) if self.segment else Q()
        if self.from_revenue is not None:
            mine &= Q(customer__account__revenue__gte=self.from_revenue)
        return mine


class EscalationPolicy(ForSomeAccounts):
    """The steps for some accounts. The most particular policy that covers a task is its one."""

    name = models.CharField(max_length=80, unique=True)
    is_active = models.BooleanField("in force", default=True)
    repeats_daily = models.BooleanField(
        "goes on daily",
        default=True,
        help_text="After the last step its recipients are told again each 24 hours, until one of "
        "them acknowledges or the customer is reached.",
    )

    class Meta:
        verbose_name = "escalation policy"
        verbose_name_plural = "escalation policies"
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["segment", "from_revenue"],
                name="one_policy_for_the_same_accounts",
                condition=Q(is_active=True),
                nulls_distinct=False,
                violation_error_message="Another policy in force is for the same accounts.",
            )
        ]

    def __str__(self) -> str:
        return self.name


class EscalationStep(models.Model):
    """After so many hours without something, these are told.

    After a denial the steps come again and faster, as the second deadline is shorter than the
    first: what happens at 72 hours, the first time, happens at 24 then.
    """

    class Waits(models.TextChoices):
        OPENED = "opened", "nobody has opened the task"
        REACHED = "reached", "nobody has reached the customer"

    policy = models.ForeignKey(EscalationPolicy, on_delete=models.CASCADE, related_name="steps")
    after_hours = models.PositiveSmallIntegerField(
        "hours after the answer", validators=[MinValueValidator(1), MaxValueValidator(LATEST)]
    )
    waits_for = models.CharField("and", max_length=7, choices=Waits.choices, default=Waits.REACHED)
    to_owner = models.BooleanField("tell the owner", default=False)
    to_lead = models.BooleanField("the team lead", default=False)
    to_head = models.BooleanField("the head", default=False)
    to_executive = models.BooleanField("the executive", default=False)
    # What was due before a step was made is let go: a new policy does not stir up last month.
    since = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["after_hours", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["policy", "after_hours", "waits_for"], name="step_once_per_policy"
            ),
            models.CheckConstraint(
                name="step_tells_somebody",
                condition=Q(to_owner=True)
                | Q(to_lead=True)
                | Q(to_head=True)
                | Q(to_executive=True),
                violation_error_message="Tick at least one who is told.",
            ),
            models.CheckConstraint(
                name="step_hours_are_sensible",
                condition=Q(after_hours__gte=1, after_hours__lte=LATEST),
            ),
        ]

    def __str__(self) -> str:
        who = [tier.label.lower() for tier in self.tiers]
        told = " and ".join(filter(None, [", ".join(who[:-1]), who[-1]])) if who else "nobody"
        when = f"{self.after_hours} hours after the answer"
        return f"{when}, if {self.get_waits_for_display()}: tell {told}"

    @property
    def tiers(self) -> list[Tier]:
        told = (self.to_owner, self.to_lead, self.to_head, self.to_executive)
        return [tier for tier, is_told in zip(Tier, told, strict=True) if is_told]

    @property
    def level(self) -> int:
        return max(self.tiers, default=0)

    def hours(self, after_denial: bool) -> int:
        """Until it comes, counted from the answer or from a denial; whole ones, rounded up."""
        if not after_denial:
            return self.after_hours
        return -(-self.after_hours * SECOND_DEADLINE // DEADLINE)


class EscalationRecipient(ForSomeAccounts):
    """A head or an executive, by name. They need no log-in: a mail and its link are enough."""

    TIERS = [(Tier.HEAD.value, Tier.HEAD.label), (Tier.EXECUTIVE.value, Tier.EXECUTIVE.label)]

    tier = models.PositiveSmallIntegerField("who they are", choices=TIERS)
    name = models.CharField(max_length=120)
    email = models.EmailField("e-mail", max_length=254)
    is_active = models.BooleanField("is told", default=True)

    class Meta:
        verbose_name = "escalation recipient"
        ordering = ["tier", "name"]
        constraints = [
            models.CheckConstraint(
                name="recipient_is_head_or_executive", condition=Q(tier__in=[3, 4])
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> tzinfo:
        """Who has no log-in reads the company's clock."""
        return timezone.get_default_timezone()


Person = User | EscalationRecipient


def code_of(person: Person) -> str:
    """Names one of either kind, such as u17 or r3."""
    return f"{'u' if isinstance(person, User) else 'r'}{person.pk}"


class Escalations(models.QuerySet["Escalation"]):
    def by_token(self, token: str) -> tuple[Escalation, Person] | None:
        """What a mailed link is about, and whom it was mailed to; None for any other text."""
        parts = TOKEN.fullmatch(token.lower())
        if parts is None:
            return None
        what, kind, who, secret = parts.groups()
        if not hmac.compare_digest(secret, _secret(f"{what}.{kind}{who}")):
            return None
        people = User.objects if kind == "u" else EscalationRecipient.objects
        about = ("task__response", "task__customer__account", "task__owner")
        escalation = self.select_related(*about).filter(pk=what).first()
        person = people.filter(pk=who, is_active=True).first()
        return (escalation, person) if escalation and person else None


class Escalation(models.Model):
    """A task reached a step, once on each of its clocks: that of the answer, and of each denial.
    `day` counts the daily repeats of the last step."""

    task = models.ForeignKey(OutreachTask, on_delete=models.CASCADE, related_name="escalations")
    step = models.ForeignKey(
        EscalationStep, null=True, on_delete=models.SET_NULL, related_name="escalations"
    )
    began_at = models.DateTimeField()  # when the clock began: the answer's, or a denial's
    after_denial = models.BooleanField(default=False)
    day = models.PositiveSmallIntegerField(default=0)
    # As the step stood then: policies change.
    level = models.PositiveSmallIntegerField(choices=Tier.choices)
    after_hours = models.PositiveSmallIntegerField()
    waits_for = models.CharField(max_length=7, choices=EscalationStep.Waits.choices)
    at = models.DateTimeField()
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.CharField(max_length=254, blank=True)  # some have no log-in

    objects = Escalations.as_manager()

    class Meta:
        ordering = ["at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["task", "step", "began_at", "day"], name="escalated_once"
            )
        ]

    def __str__(self) -> str:
        since = "the customer’s no" if self.after_denial else "the answer"
        return f"{self.hours} hours after {since}"

    @property
    def hours(self) -> int:
        return self.after_hours + 24 * self.day

    @property
    def is_late(self) -> bool:
        """The deadline of its clock had passed by then."""
        return self.hours * HOUR >= (SECOND_DEADLINE if self.after_denial else DEADLINE)

    @property
    def due_at(self) -> datetime:
        """The deadline of its clock."""
        return self.began_at + (SECOND_DEADLINE if self.after_denial else DEADLINE)

    @property
    def was_reached(self) -> bool:
        """The customer, since the clock began."""
        task = self.task
        return bool(task.second_contact_at if self.after_denial else task.first_contact_at)

    def token(self, person: Person) -> str:
        """The secret of the link by which `person` says that they know of it."""
        what = f"{self.pk}.{code_of(person)}"
        return f"{what}.{_secret(what)}"


def _secret(what: str) -> str:
    """128 bits of HMAC-SHA256, as 26 letters and digits that the logs mask."""
    key = b"acknowledge|" + settings.LINK_KEY.encode()
    digest = hmac.digest(key, what.encode(), hashlib.sha256)
    return base64.b32encode(digest[:16]).decode().rstrip("=").lower()
