"""The outbox: every mail that was promised, what became of it, and what a person decides."""

from __future__ import annotations

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import Http404, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.timezone import localtime
from unfold.decorators import action, display

from surveys.admin import looks
from surveys.admin.base import Admin, ReadOnly
from surveys.admin.filters import choices_filter, values_filter
from surveys.delivery import doubt, lanes
from surveys.loop import deliver
from surveys.models import Message

TONES = {"sent": "green", "failed": "red", "in_doubt": "amber", "held": "amber"}
State = Message.State
VERBS = {"arrived": deliver.arrived, "again": deliver.send_again, "give-up": deliver.give_up}
OFFERED = {
    State.IN_DOUBT: [
        ("arrived", "It arrived"),
        ("again", "Send it again"),
        ("give-up", "Give it up"),
    ],
    State.HELD: [("again", "Release it"), ("give-up", "Give it up")],
    State.FAILED: [("again", "Send it again")],
}


@admin.register(Message)
class MessageAdmin(ReadOnly, Admin):
    list_display = ("kind", "to", "how", "attempts", "created_at", "sent_at", "last_error")
    list_filter = (
        choices_filter("state", "state", State.choices),
        choices_filter("kind", "kind", Message.Kind.choices),
        values_filter("survey", "invitation__survey", label="invitation__survey__name"),
        values_filter("product or touchpoint", "invitation__product"),
    )
    list_select_related = ("invitation__customer", "user", "recipient", "task__customer")
    search_fields = ("invitation__customer__email", "user__email", "message_id")
    list_before_template = "admin/surveys/outbox.html"
    change_form_outer_before_template = "admin/surveys/mail.html"
    actions = ("mark_arrived", "send_again", "give_up")
    fields = (("kind", "state"), ("to", "attempts"), ("created_at", "next_at"),
              ("handed_at", "sent_at"), "message_id", "last_error")  # fmt: skip
    readonly_fields = ("to",)

    def changelist_view(self, request, extra_context=None):
        numbers = dict(Message.objects.order_by().values_list("state").annotate(Count("pk")))
        states = [(s.value, s.label, numbers.get(s.value, 0)) for s in State]
        context = {"outbox_states": states, "chosen_state": request.GET.get("state", "")}
        context["lane"] = lanes.in_trouble()
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def change_view(self, request, object_id, form_url="", extra_context=None):
        message = self.get_object(request, object_id)
        about = about_mail(message) if message else {}
        about["may_decide"] = self.has_decide_permission(request)
        return super().change_view(request, object_id, form_url, {**about, **(extra_context or {})})

    def has_decide_permission(self, request) -> bool:
        return request.user.has_perm("surveys.change_message")

    def get_urls(self):
        view = self.admin_site.admin_view(self.decide)
        name = "surveys_message_decide"
        return [path("<int:pk>/decide/<slug:verb>/", view, name=name), *super().get_urls()]

    def decide(self, request, pk: int, verb: str):
        """The door of the three buttons on a mail's page."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_decide_permission(request):
            raise PermissionDenied
        message = self.get_queryset(request).filter(pk=pk).first()
        if message is None or verb not in VERBS:
            raise Http404("There is no such mail, or nothing of that name to decide.")
        self._decide(request, [message], VERBS[verb])
        return redirect("admin:surveys_message_change", pk)

    @action(description="It arrived (in doubt)", permissions=["decide"])
    def mark_arrived(self, request, queryset):
        self._decide(request, queryset, deliver.arrived)

    @action(description="Send again, or release (in doubt, failed, held)", permissions=["decide"])
    def send_again(self, request, queryset):
        self._decide(request, queryset, deliver.send_again)

    @action(description="Give up (in doubt, held)", permissions=["decide"])
    def give_up(self, request, queryset):
        self._decide(request, queryset, deliver.give_up)

    def _decide(self, request, mails, verb) -> None:
        done, refusals = 0, []
        for message in mails:
            try:
                verb(message, request.user, timezone.now())
                done += 1
            except deliver.NotForYou as refusal:
                refusals.append(str(refusal))
        if done:
            messages.success(request, f"Decided for {done} mail{'s' if done > 1 else ''}.")
        if refusals:
            messages.error(request, f"Left {len(refusals)} as they are. {refusals[0]}")

    @display(description="to")
    def to(self, message):
        about = message.invitation or message.task
        return message.user or message.recipient or about.customer

    @display(description="state", ordering="state")
    def how(self, message):
        return looks.badge(TONES.get(message.state, "grey"), message.get_state_display())


def about_mail(message: Message) -> dict:
    """What is known of one mail, and what a person may decide about it."""
    buttons = [
        (reverse("admin:surveys_message_decide", args=[message.pk, verb]), label)
        for verb, label in OFFERED.get(message.state, [])
    ]
    known = {"mail": message, "buttons": buttons, "events": list(message.events.all())}
    if message.state == State.IN_DOUBT and message.handed_at:
        known["decides_itself_until"] = localtime(message.handed_at + doubt.WAIT)
        known["is_ripe"] = message.handed_at + doubt.WAIT <= timezone.now()
    if message.invitation:
        known["answer"] = getattr(message.invitation, "response", None)
    return known
