"""The forms of a task's page: one per verb."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time, timedelta

from django import forms
from django.utils import timezone
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from surveys.loop.snooze import REASON_LENGTH
from surveys.models import Contact, OutreachTask, Role, RootCause, User
from surveys.models.task_mails import SUBJECT_LENGTH, TEXT_LENGTH

CHOOSE = [("", "Choose…")]
WORKING = (Role.ACCOUNT_MANAGER, Role.TEAM_LEAD, Role.PROGRAM_MANAGER, Role.ADMINISTRATOR)


class Moment(UnfoldAdminTextInputWidget):
    """A date and a time by the reader's clock, in the browser's own picker."""

    input_type = "datetime-local"

    def format_value(self, value):
        return value.strftime("%Y-%m-%dT%H:%M") if isinstance(value, datetime) else value


class TaskForm(forms.Form):
    """Several of them share a page, so the ids of their fields start with the form's name.

    `version` is the task's as the sender saw it; the page fills it in.
    """

    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, auto_id=f"{type(self).__name__}_%s", **kwargs)


class ContactForm(TaskForm):
    channel = forms.ChoiceField(
        choices=CHOOSE + Contact.Channel.choices, widget=UnfoldAdminSelectWidget
    )
    outcome = forms.ChoiceField(
        choices=[
            *CHOOSE,
            ("Reached: this stops the clock", [
                (o.value, o.label) for o in Contact.Outcome if o in Contact.REACHED
            ]),
            ("An attempt: the clock goes on", [
                (o.value, o.label) for o in Contact.Outcome if o not in Contact.REACHED
            ]),
        ],
        widget=UnfoldAdminSelectWidget,
    )  # fmt: skip
    note = forms.CharField(
        max_length=2_000, required=False, widget=UnfoldAdminTextareaWidget({"rows": 3}),
        help_text="What was said, in a sentence or two.",
    )  # fmt: skip
    claimed_at = forms.DateTimeField(
        label="Took place earlier, at", required=False, widget=Moment,
        help_text="Kept beside it. The deadline goes by when it is logged.",
    )  # fmt: skip
    also = forms.ModelMultipleChoiceField(
        OutreachTask.objects.none(), label="It was about these as well", required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        error_messages={"invalid_choice": "One of them is closed or another's by now. Here are "
                        "those that are open."},
    )  # fmt: skip

    def __init__(self, *args, siblings: Iterable[OutreachTask] = (), **kwargs):
        """`siblings` are other open tasks of the account that the sender sees."""
        super().__init__(*args, **kwargs)
        siblings = list(siblings)
        if not siblings:
            del self.fields["also"]
            return
        rows = OutreachTask.objects.filter(pk__in=[each.pk for each in siblings])
        self.fields["also"].queryset = rows
        self.fields["also"].choices = [(each.pk, _named(each)) for each in siblings]


class WriteForm(TaskForm):
    subject = forms.CharField(
        max_length=SUBJECT_LENGTH, required=False, widget=UnfoldAdminTextInputWidget
    )
    text = forms.CharField(
        max_length=TEXT_LENGTH, required=False, widget=UnfoldAdminTextareaWidget({"rows": 9})
    )


class SnoozeForm(TaskForm):
    until = forms.DateTimeField(label="Back in the queue at", widget=Moment)
    reason = forms.CharField(
        label="Why it can wait", max_length=REASON_LENGTH, required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="The deadline stays, and so does every reminder.",
    )  # fmt: skip


class CloseForm(TaskForm):
    """Its fields are not required here: the verb says what is missing, and why it matters."""

    root_cause = forms.ModelChoiceField(
        RootCause.objects.none(), required=False, empty_label="Choose…",
        widget=UnfoldAdminSelectWidget,
    )  # fmt: skip
    outcome = forms.ChoiceField(
        choices=CHOOSE + OutreachTask.Outcome.choices,
        required=False,
        widget=UnfoldAdminSelectWidget,
    )
    action = forms.CharField(
        label="Action taken", max_length=2_000, required=False,
        widget=UnfoldAdminTextareaWidget({"rows": 3}),
        help_text="What we did about it, or will do.",
    )  # fmt: skip
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        offered = RootCause.objects.filter(is_active=True).select_related("parent")
        self.fields["root_cause"].queryset = offered
        self.fields["root_cause"].choices = [*CHOOSE, *_in_two_levels(offered)]


class AssignForm(TaskForm):
    """Those who lead may give a task to nobody as well; account managers to somebody."""

    to = forms.ModelChoiceField(
        User.objects.none(), label="Hand over to", widget=UnfoldAdminSelectWidget
    )
    why = forms.CharField(
        label="Why", max_length=200, required=False, widget=UnfoldAdminTextInputWidget
    )
    seen_owner = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args, by: User, **kwargs):
        super().__init__(*args, **kwargs)
        leads = by.has_perm("surveys.assign_outreachtask")
        to = self.fields["to"]
        to.queryset, to.required = candidates(by), not leads
        to.empty_label = "Nobody" if leads else "Choose…"


class TakeForm(TaskForm):
    seen_owner = forms.IntegerField(required=False, widget=forms.HiddenInput)


class WithdrawForm(TaskForm):
    reason = forms.CharField(
        max_length=200, required=False, widget=UnfoldAdminTextInputWidget,
        help_text="It stays visible in every rate as withdrawn.",
    )  # fmt: skip


def candidates(by: User):
    """Who can own a task that `by` gives away: managers give to anyone, the others to their team;
    an account manager not to themselves, for that is to take it."""
    users = User.objects.filter(is_active=True, role__in=WORKING)
    if by.role == Role.ACCOUNT_MANAGER:
        return users.filter(team=by.team_id, team__isnull=False).exclude(pk=by.pk)
    return users.filter(team=by.team_id) if by.role == Role.TEAM_LEAD and by.team_id else users


def tomorrow_morning(now: datetime) -> datetime:
    """9 o'clock of the reader's next day."""
    day = timezone.localtime(now).date() + timedelta(days=1)
    return timezone.make_aware(datetime.combine(day, time(9)))


def _named(task: OutreachTask) -> str:
    return f"{task.customer}, score {task.response.score}, {task.owner or 'nobody’s'}"


def _in_two_levels(causes: Iterable[RootCause]) -> list[tuple]:
    """Groups of causes; one without finer ones stands by itself."""
    causes = list(causes)
    parents = {cause.parent_id for cause in causes if cause.parent_id}
    entries: dict[str, tuple] = {}
    for cause in causes:
        if cause.parent:
            _, finer = entries.setdefault(cause.parent.name, (cause.parent.name, []))
            finer.append((cause.pk, cause.name))
        elif cause.pk not in parents:
            entries[cause.name] = (cause.pk, cause.name)
    return [entries[name] for name in sorted(entries)]
