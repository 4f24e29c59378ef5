"""The forms of a task's page: one per verb."""

from __future__ import annotations

from django import forms
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from surveys.models import Contact, OutreachTask, Role, RootCause, User

CHOOSE = [("", "Choose…")]


class TaskForm(forms.Form):
    """Five of them share a page, so the ids of their fields start with the form's name."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, auto_id=f"{type(self).__name__}_%s", **kwargs)


class ContactForm(TaskForm):
    channel = forms.ChoiceField(
        choices=CHOOSE + Contact.Channel.choices, widget=UnfoldAdminSelectWidget
    )
    outcome = forms.ChoiceField(
        choices=[
            *CHOOSE,
            ("Reached: this stops the 72 hours", [
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


class AssignForm(TaskForm):
    to = forms.ModelChoiceField(
        User.objects.none(), label="Hand over to", required=False, empty_label="Nobody",
        widget=UnfoldAdminSelectWidget,
    )  # fmt: skip
    seen_owner = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args, by: User, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["to"].queryset = candidates(by)


class TakeForm(TaskForm):
    seen_owner = forms.IntegerField(required=False, widget=forms.HiddenInput)


class WithdrawForm(TaskForm):
    reason = forms.CharField(
        max_length=200, required=False, widget=UnfoldAdminTextInputWidget,
        help_text="It stays visible in every rate as withdrawn.",
    )  # fmt: skip


def candidates(by: User):
    """Those who can own a task: a lead hands over within the team, the others to anyone."""
    working = [Role.ACCOUNT_MANAGER, Role.TEAM_LEAD, Role.PROGRAM_MANAGER, Role.ADMINISTRATOR]
    users = User.objects.filter(is_active=True, role__in=working)
    return users.filter(team=by.team_id) if by.role == Role.TEAM_LEAD and by.team_id else users
