"""Reaching out to a detractor: the task with its deadline, the contacts, the root causes."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Case, DateTimeField, F, Q, When
from django.db.models.functions import Least
from django.db.models.lookups import Exact

from surveys.models.people import Customer
from surveys.models.responses import Response
from surveys.models.staff import User
from surveys.models.visibility import owned

DEADLINE = timedelta(hours=72)  # elapsed, whatever the clocks on the walls do
SECOND_DEADLINE = timedelta(hours=24)  # after a customer has denied that anybody got back
GOAL = 0.95  # of detractors personally contacted within the deadline


class RootCause(models.Model):
    """Why it went wrong, in the company's own words; two levels."""

    name = models.CharField(max_length=80, unique=True)
    parent = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="children",
        limit_choices_to={"parent": None},
    )
    is_active = models.BooleanField(
        "offered", default=True, help_text="Untick to retire it: closed tasks keep it."
    )

    class Meta:
        ordering = ["parent__name", "name"]

    def __str__(self) -> str:
        return f"{self.parent.name}: {self.name}" if self.parent else self.name


_FIRST = Case(When(first_contact_at=None, then="due_at"), output_field=DateTimeField())
_SECOND = Case(When(second_contact_at=None, then="second_due_at"), output_field=DateTimeField())
DEADLINE_THAT_RUNS = Least(_FIRST, _SECOND)  # or has run out; NULL: they have been reached


class OutreachTasks(models.QuerySet["OutreachTask"]):
    def visible_to(self, user: User) -> OutreachTasks:
        mine = owned(user, "owner")
        if not mine:  # no line is drawn for them
            return self
        # Not by a join: an “or” across tables would join and read them all.
        theirs = Customer.objects.filter(owned(user, "account__owner"))
        return self.filter(mine | Q(customer__in=theirs))

    def open(self) -> OutreachTasks:
        return self.filter(state=OutreachTask.State.OPEN)

    def with_deadline(self) -> OutreachTasks:
        """Each with its `deadline`: the one that runs, or has run out. After a denial the customer
        waits for a second time, whatever became of the first. None: they have been reached."""
        return self.annotate(deadline=DEADLINE_THAT_RUNS)

    def overdue(self, now: datetime) -> OutreachTasks:
        """Open, past the deadline or the second one, and nobody has reached the customer."""
        return self.open().with_deadline().filter(deadline__lt=now)

    def asleep(self, now: datetime) -> OutreachTasks:
        """Snoozed. They wake up by themselves; nothing has to run for that."""
        return self.open().filter(snoozed_until__gt=now)

    def awake(self, now: datetime) -> OutreachTasks:
        return self.open().exclude(snoozed_until__gt=now)

    def most_urgent_first(self) -> OutreachTasks:
        """Those whose customer has been reached last, however early their deadline was."""
        return self.with_deadline().order_by(F("deadline").asc(nulls_last=True), "due_at", "pk")


class OutreachTask(models.Model):
    """One answer to be followed up, a detractor's or another's. `due_at` never moves.

    Only those of detractors are in the closure rate.
    """

    class Cause(models.TextChoices):
        DETRACTOR = "detractor", "Detractor"
        CONTACT_WISH = "contact_wish", "Wants to be contacted"
        LOYALTY_DROP = "loyalty_drop", "Less loyal than before"

    class State(models.TextChoices):
        OPEN = "open", "Open"
        CLOSED = "closed", "Closed"
        WITHDRAWN = "withdrawn", "Withdrawn"
        FORGOTTEN = "forgotten", "Over: the customer was forgotten"  # stays in the rate

    class Outcome(models.TextChoices):
        RECOVERED = "recovered", "Recovered: the customer is satisfied again"
        IMPROVED = "improved", "Improved: better, not yet good"
        ACCEPTED = "accepted", "Accepted: explained, nothing to repair"
        LOST = "lost", "Lost: the customer has left or is leaving"
        NO_REPLY = "no_reply", "No reply after repeated attempts"

    response = models.OneToOneField(Response, on_delete=models.PROTECT, related_name="task")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="tasks")
    owner = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.SET_NULL, related_name="tasks"
    )
    cause = models.CharField(max_length=12, choices=Cause.choices, default=Cause.DETRACTOR)
    state = models.CharField(max_length=9, choices=State.choices, default=State.OPEN)
    started_at = models.DateTimeField()  # when the answer got its cause
    due_at = models.DateTimeField()
    assigned_at = models.DateTimeField(  # when it was last given to somebody, or to nobody
        null=True, editable=False
    )
    seen_at = models.DateTimeField(  # when somebody who may work it first opened its page
        null=True, editable=False
    )
    level = models.PositiveSmallIntegerField(  # the highest Tier that was told; 0: none yet
        default=0, editable=False
    )
    first_contact_at = models.DateTimeField(null=True, editable=False)  # derived from contacts
    snoozed_until = models.DateTimeField(null=True, editable=False)  # a view of the queue, no more
    snooze_reason = models.CharField(max_length=200, blank=True, editable=False)
    closed_at = models.DateTimeField(null=True, editable=False)
    closings = models.PositiveSmallIntegerField(default=0, editable=False)  # so far
    denied_at = models.DateTimeField(null=True, editable=False)  # by the customer, most lately
    second_due_at = models.DateTimeField(null=True, editable=False)
    second_contact_at = models.DateTimeField(null=True, editable=False)  # derived as the first is
    shift = models.SmallIntegerField(  # in points, from this answer to the next after the closing
        null=True, editable=False
    )
    root_cause = models.ForeignKey(
        RootCause, null=True, blank=True, on_delete=models.PROTECT, related_name="tasks"
    )
    outcome = models.CharField(max_length=9, choices=Outcome.choices, blank=True)
    action = models.TextField("action taken", max_length=2_000, blank=True)
    withdrawn_reason = models.CharField(max_length=200, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)  # guards against stale forms

    objects = OutreachTasks.as_manager()

    class Meta:
        ordering = ["due_at"]
        permissions = [
            ("withdraw_outreachtask", "Can withdraw a wrongly opened task"),
            ("assign_outreachtask", "Can assign tasks to others"),
        ]
        constraints = [
            # As differences: “+ 3 days” would follow the clock on the wall wherever a session has a
            # zone with summer time, and a restore there would be refused.
            models.CheckConstraint(
                name="due_72_elapsed_hours_after_start",
                condition=Exact(F("due_at") - F("started_at"), DEADLINE),
            ),
            models.CheckConstraint(
                name="closed_task_has_cause_outcome_action",
                condition=~Q(state="closed")
                | (
                    Q(root_cause__isnull=False, closed_at__isnull=False)
                    & ~Q(outcome="")
                    & ~Q(action="")
                ),
            ),
            models.CheckConstraint(
                name="withdrawn_task_has_a_reason",
                condition=~Q(state="withdrawn") | ~Q(withdrawn_reason=""),
            ),
            models.CheckConstraint(
                name="second_deadline_24_hours_after_denial",
                condition=Q(denied_at=None, second_due_at=None, second_contact_at=None)
                | Q(
                    Exact(F("second_due_at") - F("denied_at"), SECOND_DEADLINE),
                    denied_at__isnull=False,  # of a NULL no check says no
                    second_due_at__isnull=False,
                ),
            ),
            models.CheckConstraint(
                name="snoozed_task_has_a_reason",
                condition=Q(snoozed_until=None) | ~Q(snooze_reason=""),
            ),
            models.CheckConstraint(
                name="task_state_is_known",
                condition=Q(state__in=["open", "closed", "withdrawn", "forgotten"]),
            ),
            models.CheckConstraint(
                name="task_cause_is_known",
                condition=Q(cause__in=["detractor", "contact_wish", "loyalty_drop"]),
            ),
        ]
        indexes = [
            models.Index(  # the queue, most urgent first
                fields=["owner", "due_at"], name="tasks_open", condition=Q(state="open")
            ),
            models.Index(  # the same of everybody: surveys/models/call_order.py
                DEADLINE_THAT_RUNS,
                "due_at",
                "id",
                name="tasks_in_call_order",
                condition=Q(state="open"),
            ),
            models.Index(  # the queue's last tab, the latest first
                fields=["-closed_at", "-id"], name="tasks_over", condition=~Q(state="open")
            ),
            models.Index(fields=["started_at"], name="tasks_by_cohort"),  # the closure rate
            models.Index(  # the sweep that escalates
                fields=["started_at"],
                name="tasks_unreached",
                condition=Q(state="open", first_contact_at=None),
            ),
            models.Index(  # the same after a denial
                fields=["denied_at"],
                name="tasks_denied",
                condition=Q(state="open", denied_at__isnull=False, second_contact_at=None),
            ),
            models.Index(  # the sweep that asks whether it helped
                fields=["closed_at"], name="tasks_closed", condition=Q(state="closed")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.customer}: {self.response.score}"

    @property
    def was_reached(self) -> bool:
        """The customer; after a denial: again."""
        return bool(self.second_contact_at if self.denied_at else self.first_contact_at)

    @property
    def waits_until(self) -> datetime | None:
        """The same as `with_deadline` says, of one task."""
        first = None if self.first_contact_at else self.due_at
        second = None if self.second_contact_at else self.second_due_at
        return min(filter(None, (first, second)), default=None)

    def is_overdue(self, now: datetime) -> bool:
        until = self.waits_until
        return self.state == self.State.OPEN and until is not None and until < now

    def is_asleep(self, now: datetime) -> bool:
        return self.snoozed_until is not None and self.snoozed_until > now

    def time_left(self, now: datetime) -> timedelta:
        return self.due_at - now
