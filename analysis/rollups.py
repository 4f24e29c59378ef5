"""What the reports count, counted once a day: so many answers, invitations and tasks of one survey,
segment, product and region on one day of the company's calendar.

`analysis.fold` writes them and nobody else does; every row follows from the answers, and
`manage.py rebuild_rollups` makes the same ones anew. Regions and tiers are those that an account
has today, segments those of the day of the answer.
"""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import DO_NOTHING

from surveys.models import Account, Response, Survey, Tick, User


def _count() -> models.PositiveIntegerField:
    return models.PositiveIntegerField()


class Tier(models.IntegerChoices):
    """Of an account, by its yearly revenue."""

    UNKNOWN = 0, "Revenue unknown"
    SMALL = 1, "Below 100,000"
    MIDDLE = 2, "100,000 to 1,000,000"
    LARGE = 3, "1,000,000 or more"


FOLDED = "fold rollups"  # the tick of the sweep that counts
MIDDLE_FROM, LARGE_FROM = 100_000, 1_000_000  # a year, in the company's currency


def counted_at() -> datetime | None:
    """Of what moment the counts are: all that had happened by then is in them."""
    return Tick.objects.filter(name=FOLDED).values_list("at", flat=True).first()


class Day(models.Model):
    survey = models.ForeignKey(Survey, on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    segment = models.CharField(max_length=60)
    product = models.CharField(max_length=80)
    region = models.CharField(max_length=60)

    class Meta:
        abstract = True


class AnswerDay(Day):
    """Answers with a score that a person gave."""

    source = models.CharField(max_length=10, choices=Response.Source.choices)
    promoters = _count()
    passives = _count()
    detractors = _count()
    without_task = _count()  # of the detractors

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["day", "survey", "segment", "product", "region", "source"],
                name="answers_once_a_day",
            )
        ]
        indexes = [models.Index(fields=["survey", "day"], name="answers_of_survey_and_day")]

    def __str__(self) -> str:
        return f"Answers of {self.day}"


class AskedDay(Day):
    """Invitations that went out or were handed over, by the day of the invitation."""

    invited = _count()
    answered = _count()  # of them, by a person, however late
    by_link = _count()
    by_link_answered = _count()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["day", "survey", "segment", "product", "region"],
                name="invitations_once_a_day",
            )
        ]
        indexes = [models.Index(fields=["survey", "day"], name="asked_of_survey_and_day")]

    def __str__(self) -> str:
        return f"Invitations of {self.day}"


class TaskDay(Day):
    """Tasks of detractors by the day their 72 hours began, and what became of them so far."""

    owner = models.ForeignKey(
        User, null=True, on_delete=DO_NOTHING, db_constraint=False, related_name="+"
    )
    tier = models.SmallIntegerField(choices=Tier.choices)
    in_time = _count()
    late = _count()
    waiting = _count()  # nobody has reached the customer
    withdrawn = _count()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["day", "survey", "segment", "product", "region", "owner", "tier"],
                name="tasks_once_a_day",
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        return f"Tasks of {self.day}"


class AccountMonth(models.Model):
    """The same answers by account: what the interval of the NPS has to know of their likeness."""

    account = models.ForeignKey(
        Account, on_delete=DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    survey = models.ForeignKey(Survey, on_delete=models.CASCADE, db_index=False, related_name="+")
    month = models.DateField()  # its first day
    segment = models.CharField(max_length=60)
    product = models.CharField(max_length=80)
    promoters = _count()
    passives = _count()
    detractors = _count()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "month", "survey", "segment", "product"],
                name="account_once_a_month",
            )
        ]
        indexes = [
            models.Index(
                fields=["month", "survey"],
                include=["account", "segment", "promoters", "passives", "detractors"],
                name="accounts_of_month",
            )
        ]

    def __str__(self) -> str:
        return f"Answers of account {self.account_id}, {self.month:%Y-%m}"


class Stale(models.Model):
    """A note that something counted has changed, written by triggers in the transaction that
    changes it (analysis/migrations/0003). Whoever folds takes the note and counts anew."""

    class Kind(models.TextChoices):
        ANSWER = "answer", "An answer: survey, time, customer"
        INVITATION = "invitation", "An invitation: its id"
        ASKED = "asked", "Invitations of a survey at a time"
        TASK = "task", "A task: when it began, and its answer where it is new or gone"
        CUSTOMER = "customer", "A customer's account or segment: its id"
        MEMBERS = "members", "An account's segment, region or revenue: its id"
        ACCOUNT = "account", "Who belongs to an account: its id"

    kind = models.CharField(max_length=10, choices=Kind.choices)
    survey_id = models.BigIntegerField(null=True)
    at = models.DateTimeField(null=True)  # rounded down to a quarter of an hour
    ref = models.BigIntegerField(null=True)

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.ref}"
