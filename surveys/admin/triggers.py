"""Triggers and events: what makes us ask, what happened, and whether it was asked about."""

from __future__ import annotations

import inspect
from datetime import datetime

from django.conf import settings
from django.contrib import admin
from django.db.models import Count, Q
from django.urls import reverse
from django.utils import timezone
from unfold.decorators import display

from surveys.admin import looks
from surveys.admin.base import Admin, Inline, ReadOnly
from surveys.admin.filters import choices_filter, values_filter
from surveys.admin.invitations import how as decision
from surveys.models import Event, Invitation, Trigger
from surveys.triggers.door import SYSTEMS

YES_NO = [("True", "Yes"), ("False", "No")]
ASKED = Q(events__invitation__decision=Invitation.Decision.ASK)


class TriggerInline(Inline):
    model = Trigger
    fields = ("source", "happening", "product", "delay_hours", "is_active")
    verbose_name_plural = "Triggers: what makes this survey ask by itself"


@admin.register(Trigger)
class TriggerAdmin(Admin):
    list_display = ("what", "survey", "for_product", "delay", "is_active", "so_far")
    list_display_links = ("what",)
    list_filter = (
        values_filter("source", "source"),
        values_filter("survey", "survey", label="survey__name"),
        values_filter("product or touchpoint", "product"),
        choices_filter("active", "is_active", YES_NO),
    )
    list_select_related = ("survey",)
    search_fields = ("source", "happening", "survey__name")
    list_before_template = "admin/surveys/triggers.html"
    deletable = True
    fieldsets = (
        (None, {"fields": (("source", "happening"), ("product", "delay_hours"),
                           ("survey", "is_active")),
                "description": "When several fit, the one for the event's product asks; "
                               "then the one that was made first."}),
    )  # fmt: skip

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(
            told=Count("events"), asked=Count("events", filter=ASKED)
        )  # fmt: skip

    def choices_for(self, db_field, request):
        choices = super().choices_for(db_field, request)
        return choices.filter(is_open=True) if db_field.name == "survey" else choices

    def changelist_view(self, request, extra_context=None):
        context = {"systems": systems()}
        return super().changelist_view(request, {**context, **(extra_context or {})})

    @display(description="when", ordering="happening")
    def what(self, trigger):
        return looks.two_lines(trigger.happening, trigger.source)

    @display(description="product", ordering="product")
    def for_product(self, trigger):
        return trigger.product or "Any"

    @display(description="asks after", ordering="delay_hours")
    def delay(self, trigger):
        return f"{trigger.delay_hours} h"

    @display(description="asked", ordering="told")
    def so_far(self, trigger):
        return f"{trigger.asked} of {trigger.told} events"


def systems() -> list[dict]:
    """Each system that has a module: its address here, whether its secret is set, and how to set up
    its side, as the module itself says it."""
    return [
        {
            "name": system.name,
            "link": settings.SITE_URL + reverse("hook", args=[system.name]),
            "happenings": system.happenings,
            "knob": f"HOOK_SECRET_{system.name.upper()}",
            "is_ready": bool(settings.HOOK_SECRETS.get(system.name)),
            "how": inspect.getdoc(inspect.getmodule(system)),
        }
        for system in SYSTEMS.values()
    ]


@admin.register(Event)
class EventAdmin(ReadOnly, Admin):
    list_display = ("what", "who", "for_product", "happened_at", "outcome_now", "survey")
    list_display_links = ("what",)
    list_filter = (
        values_filter("source", "source"),
        values_filter("happening", "happening"),
        choices_filter("outcome", "outcome", Event.Outcome.choices),
        values_filter("survey", "trigger__survey", label="trigger__survey__name"),
        values_filter("product or touchpoint", "product"),
    )
    list_select_related = ("customer__account", "trigger__survey", "invitation__response")
    search_fields = ("external_id", "subject", "customer__name", "customer__email",
                     "customer__account__name")  # fmt: skip
    search_help_text = "Id, ticket, customer or account"
    list_before_template = "admin/surveys/events.html"
    ordering = ("-pk",)
    fields = (("what", "who"), ("external_id", "subject"), ("product", "survey"),
              ("happened_at", "received_at"), ("ask_at", "decided_at"),
              ("outcome_now", "invitation"))  # fmt: skip
    readonly_fields = ("what", "who", "survey", "outcome_now")

    @display(description="what happened", ordering="happening")
    def what(self, event):
        about = event.subject or event.external_id
        return looks.two_lines(event.happening, f"{event.source}, {about}")

    @display(description="customer", ordering="customer__name")
    def who(self, event):
        return looks.person(event.customer)

    @display(description="product", ordering="product")
    def for_product(self, event):
        return event.product or looks.NOTHING

    @display(description="survey", ordering="trigger__survey__name")
    def survey(self, event):
        return event.trigger.survey if event.trigger else looks.NOTHING

    @display(description="asked", ordering="outcome")
    def outcome_now(self, event):
        return outcome(event, timezone.now())


def outcome(event: Event, now: datetime) -> str:
    """Whether the customer is asked about it, as a badge: when, or why not."""
    if event.outcome == Event.Outcome.WAITING:
        return looks.badge("amber", _waits(event, now))
    if event.outcome == Event.Outcome.DECIDED and event.invitation:
        return decision(event.invitation)
    return looks.badge("grey", event.get_outcome_display())


def _waits(event: Event, now: datetime) -> str:
    if event.trigger and event.trigger.survey.paused_reason:
        return "Waits: the survey is paused"
    left = event.ask_at - now
    return f"Asked in {looks.span(left)}" if left.total_seconds() > 0 else "Asked in a moment"
