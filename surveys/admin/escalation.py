"""Who is told when nobody reaches a customer: policies with a rehearsal, recipients, chat rooms."""

from __future__ import annotations

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import Http404
from django.shortcuts import redirect
from django.urls import path
from django.utils import timezone
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from surveys.admin import looks
from surveys.admin.base import Admin, Inline
from surveys.admin.filters import choices_filter, values_filter
from surveys.loop.chain import Chain
from surveys.loop.foretell import foretell
from surveys.loop.try_chat import Impatient, try_room
from surveys.models import (
    ChatHook,
    ChatMessage,
    EscalationPolicy,
    EscalationRecipient,
    EscalationStep,
    OutreachTask,
)

YES_NO = [("True", "Yes"), ("False", "No")]
OFFERED_TASKS = 50
LATEST = 10
TONES = {"sent": "green", "failed": "red", "queued": "amber"}
SCOPE = ("segment", "from_revenue")


class StepInline(Inline):
    """Elapsed hours, whatever the clocks on the walls do."""

    model = EscalationStep
    fields = ("after_hours", "waits_for", "to_owner", "to_lead", "to_head", "to_executive")
    verbose_name_plural = "Steps: each is told once, and after the last one daily"


class TaskForm(forms.Form):
    """Which task to try a policy on."""

    task = forms.ModelChoiceField(
        OutreachTask.objects.none(), label="Task", widget=UnfoldAdminSelectWidget
    )

    def __init__(self, user, *args, **kwargs):
        super().__init__(*args, **kwargs)
        rows = OutreachTask.objects.visible_to(user).select_related(
            "customer__account", "response", "owner"
        )
        latest = rows.order_by("-started_at", "-pk").values("pk")[:OFFERED_TASKS]
        self.fields["task"].queryset = rows.filter(pk__in=latest).order_by("-started_at")
        self.fields["task"].label_from_instance = _label

    def chosen(self) -> OutreachTask | None:
        return self.cleaned_data["task"] if self.is_valid() else None


def _label(task: OutreachTask) -> str:
    whose = task.customer.account or looks.NO_ACCOUNT
    return f"{task.customer} ({whose}), score {task.response.score}"


@admin.register(EscalationPolicy)
class EscalationPolicyAdmin(Admin):
    list_display = ("name", "whose_tasks", "steps_in_words", "is_active")
    list_filter = (choices_filter("in force", "is_active", YES_NO),)
    list_before_template = "admin/surveys/policies.html"
    change_form_outer_after_template = "admin/surveys/policy.html"
    inlines = (StepInline,)
    deletable = True
    fieldsets = (
        (None, {"fields": (("name", "is_active"), SCOPE, "repeats_daily"),
                "description": "The policy for the highest value holds first, then that of one "
                               "segment, then the one for all accounts."}),
    )  # fmt: skip

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("steps")

    def changelist_view(self, request, extra_context=None):
        uncovered = not EscalationPolicy.objects.filter(
            is_active=True, segment="", from_revenue=None, steps__isnull=False
        ).exists()
        return super().changelist_view(
            request, {"some_are_not_covered": uncovered, **(extra_context or {})}
        )

    def change_view(self, request, object_id, form_url="", extra_context=None):
        policy = self.get_object(request, object_id)
        about = _rehearsal(request, policy) if policy else {}
        return super().change_view(request, object_id, form_url, {**about, **(extra_context or {})})

    @display(description="for", ordering="segment")
    def whose_tasks(self, policy):
        return policy.whose

    @display(description="steps")
    def steps_in_words(self, policy):
        return ", ".join(f"{step.after_hours} h" for step in policy.steps.all()) or "None yet"


def _rehearsal(request, policy: EscalationPolicy) -> dict:
    """What the saved policy would have done to the chosen task, or to the latest one."""
    now = timezone.now()
    form = TaskForm(request.user, request.GET if "task" in request.GET else None)
    task = form.chosen() if form.is_bound else form.fields["task"].queryset.first()
    if task and not form.is_bound:
        form.initial["task"] = task.pk
    context = {"policy": policy, "task_form": form, "rehearsed": task, "now": now}
    if task:
        context["foretold"] = foretell(policy, task, now)
        context["its_policy"] = Chain(now).policy_of(task)
    return context


@admin.register(EscalationRecipient)
class EscalationRecipientAdmin(Admin):
    list_display = ("name", "tier", "email", "whose_tasks", "is_active")
    list_filter = (
        choices_filter("who they are", "tier", EscalationRecipient.TIERS),
        values_filter("segment", "segment"),
        choices_filter("is told", "is_active", YES_NO),
    )
    search_fields = ("name", "email")
    list_before_template = "admin/surveys/recipients.html"
    deletable = True
    fieldsets = (
        (None, {"fields": (("name", "email"), ("tier", "is_active"), SCOPE),
                "description": "Heads and executives need no log-in. Of several, those for the "
                               "account's value are told, then those for its segment, then those "
                               "for all accounts."}),
    )  # fmt: skip

    @display(description="for", ordering="segment")
    def whose_tasks(self, recipient):
        return recipient.whose


@admin.register(ChatHook)
class ChatHookAdmin(Admin):
    list_display = ("name", "kind", "host", "from_level", "whose_tasks", "health")
    list_filter = (choices_filter("tool", "kind", ChatHook.Kind.choices),)
    search_fields = ("name",)
    list_before_template = "admin/surveys/chat_hooks.html"
    change_form_outer_after_template = "admin/surveys/chat_hook.html"
    deletable = True
    unrecorded = frozenset({"url"})
    fieldsets = (
        (None, {"fields": (("name", "kind"), "url", ("from_level", "is_active"), SCOPE)}),
    )  # fmt: skip

    def get_queryset(self, request):
        waiting = Count("messages", filter=Q(messages__state=ChatMessage.State.QUEUED))
        return super().get_queryset(request).annotate(waiting=waiting)

    def get_fieldsets(self, request, obj=None):
        """The address is a secret: who may not change it does not read it."""
        if self.has_change_permission(request, obj) or obj is None:
            return self.fieldsets
        return ((None, {"fields": (("name", "kind"), ("from_level", "is_active"), SCOPE)}),)

    def save_model(self, request, obj, form, change):
        """An address that was put right is tried afresh."""
        if form.changed_data:
            obj.failing_since, obj.stopped_reason = None, ""
        super().save_model(request, obj, form, change)

    def get_urls(self):
        view = self.admin_site.admin_view(self.send_test)
        name = "surveys_chathook_test"
        return [path("<int:pk>/test/", view, name=name), *super().get_urls()]

    def change_view(self, request, object_id, form_url="", extra_context=None):
        hook = self.get_object(request, object_id)
        about = {"hook": hook, "said": _latest(hook)} if hook else {}
        return super().change_view(request, object_id, form_url, {**about, **(extra_context or {})})

    def send_test(self, request, pk: int):
        if not request.user.has_perm("surveys.change_chathook"):
            raise PermissionDenied
        hook = ChatHook.objects.filter(pk=pk).first()
        if hook is None:
            raise Http404("There is no such chat webhook.")
        if request.method == "POST":
            try:
                try_room(hook, request.user, timezone.now())
                messages.success(request, "A test is on its way; what became of it stands below.")
            except Impatient as refusal:
                messages.error(request, str(refusal))
        return redirect("admin:surveys_chathook_change", pk)

    @display(description="for", ordering="segment")
    def whose_tasks(self, hook):
        return hook.whose

    @display(description="state")
    def health(self, hook):
        if hook.stopped_reason:
            return looks.badge("red", f"Stopped: {hook.stopped_reason}")
        if hook.failing_since:
            return looks.badge("amber", f"Failing, {hook.waiting} waiting")
        return looks.badge("green", "Works") if hook.is_active else looks.badge("grey", "Off")


def _latest(hook: ChatHook) -> list[tuple[ChatMessage, str]]:
    rows = hook.messages.select_related("escalation__task__customer")[:LATEST]
    return [(row, looks.badge(TONES[row.state], row.get_state_display())) for row in rows]
