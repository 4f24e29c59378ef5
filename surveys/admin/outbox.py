"""The outbox: every mail that was promised, and what became of it."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Count
from unfold.decorators import display

from surveys.admin import looks
from surveys.admin.base import Admin, ReadOnly
from surveys.admin.filters import choices_filter
from surveys.models import Message

TONES = {"sent": "green", "failed": "red", "in_doubt": "amber"}


@admin.register(Message)
class MessageAdmin(ReadOnly, Admin):
    list_display = ("kind", "to", "how", "attempts", "created_at", "sent_at", "last_error")
    list_filter = (
        choices_filter("state", "state", Message.State.choices),
        choices_filter("kind", "kind", Message.Kind.choices),
    )
    list_select_related = ("invitation__customer", "user")
    search_fields = ("invitation__customer__email", "user__email", "message_id")
    list_before_template = "admin/surveys/outbox.html"
    fields = (("kind", "state"), ("to", "attempts"), ("created_at", "next_at"),
              ("handed_at", "sent_at"), "message_id", "last_error")  # fmt: skip
    readonly_fields = ("to",)

    def changelist_view(self, request, extra_context=None):
        numbers = dict(Message.objects.order_by().values_list("state").annotate(Count("pk")))
        states = [(s.value, s.label, numbers.get(s.value, 0)) for s in Message.State]
        context = {"outbox_states": states, "chosen_state": request.GET.get("state", "")}
        return super().changelist_view(request, {**context, **(extra_context or {})})

    @display(description="to")
    def to(self, message):
        return message.user or message.invitation.customer

    @display(description="state", ordering="state")
    def how(self, message):
        return looks.badge(TONES.get(message.state, "grey"), message.get_state_display())
