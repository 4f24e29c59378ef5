"""The queue of outreach tasks: whom to call next, and why."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import BooleanField, ExpressionWrapper, Q
from django.urls import path
from django.utils import timezone
from unfold.decorators import display

from surveys.admin import looks, queue, task_page
from surveys.admin.base import Admin
from surveys.admin.filters import choices_filter, values_filter
from surveys.admin.time_left import TimeLeft
from surveys.models import OutreachTask

# Whoever has been reached only needs closing, however early the deadline was.
REACHED_LAST = ExpressionWrapper(
    Q(first_contact_at__isnull=False), output_field=BooleanField()
).asc()


@admin.register(OutreachTask)
class OutreachTaskAdmin(Admin):
    list_display = (
        "customer_and_account", "time_left", "score", "why", "words", "product", "segment",
        "revenue", "owner_name", "first_contact",
    )  # fmt: skip
    list_display_links = ("customer_and_account",)
    list_filter = (
        queue.QueueFilter,
        TimeLeft,
        values_filter("product or touchpoint", "response__product"),
        values_filter("segment", "response__segment"),
        values_filter("survey", "response__survey", label="response__survey__name"),
        values_filter("owner", "owner", label="owner__name", empty="Nobody"),
        values_filter("team", "owner__team", label="owner__team__name", empty="No team"),
        choices_filter("why", "cause", OutreachTask.Cause.choices),
    )
    list_select_related = ("customer__account", "response", "owner")
    search_fields = ("customer__name", "customer__email", "customer__account__name",
                     "response__comment")  # fmt: skip
    search_help_text = "Customer, account or comment"
    list_before_template = "admin/surveys/queue_tabs.html"
    list_fullwidth = True

    def get_ordering(self, request):
        latest_first = {"closed": ["-closed_at", "-pk"], "all": ["-started_at", "-pk"]}
        most_urgent_first = [REACHED_LAST, "due_at", "pk"]
        return latest_first.get(queue.current(request).name, most_urgent_first)

    def get_changelist(self, request, **kwargs):
        return queue.Queue

    def has_add_permission(self, request) -> bool:
        return False

    def get_urls(self):
        return [
            path(
                f"<int:pk>/{action}/",
                self.admin_site.admin_view(view(self)),
                name=f"surveys_outreachtask_{action}",
            )
            for action, view in task_page.ACTIONS.items()
        ] + super().get_urls()

    def changelist_view(self, request, extra_context=None):
        now = timezone.now()
        numbers = queue.counts(request.user, now)
        chosen = queue.current(request)
        rows = [
            {"tab": tab, "count": numbers[tab.name], "active": tab.name == chosen.name}
            for tab in queue.tabs(request.user, now)
        ]
        context = {"queue_tabs": rows, "queue_tab": chosen, "title": "Outreach tasks"}
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def change_view(self, request, object_id, form_url="", extra_context=None):
        return task_page.show(self, request, object_id)

    @display(description="customer", ordering="customer__name")
    def customer_and_account(self, task):
        return looks.two_lines(task.customer, task.customer.account or looks.NO_ACCOUNT)

    @display(description="time left", ordering="due_at")
    def time_left(self, task):
        return looks.deadline(task, timezone.now())

    @display(description="score", ordering="response__score")
    def score(self, task):
        return looks.score(task.response)

    @display(description="why", ordering="cause")
    def why(self, task):
        return task.get_cause_display()

    @display(description="comment")
    def words(self, task):
        return looks.first_words(task.response.comment)

    @display(description="product", ordering="response__product")
    def product(self, task):
        return task.response.product or looks.NOTHING

    @display(description="segment", ordering="response__segment")
    def segment(self, task):
        return task.response.segment or looks.NOTHING

    @display(description="revenue", ordering="customer__account__revenue")
    def revenue(self, task):
        return looks.money(task.customer.account.revenue if task.customer.account else None)

    @display(description="owner", ordering="owner__name")
    def owner_name(self, task):
        return task.owner or "Nobody"

    @display(description="first contact", ordering="first_contact_at")
    def first_contact(self, task):
        return task.first_contact_at or "Not yet"
