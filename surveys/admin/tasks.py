"""The queue of outreach tasks: whom to call next, and why."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import F, QuerySet
from django.urls import path
from unfold.decorators import display

from surveys.admin import looks, queue, queue_looks, task_page
from surveys.admin.assigning import Assigning
from surveys.admin.base import Admin
from surveys.admin.filters import choices_filter, values_filter
from surveys.admin.saved_views import SavedViews
from surveys.admin.time_left import Sleep, TimeLeft
from surveys.models import OutreachTask, SavedView, Survey, Team, Tier, User
from surveys.models.visibility import owned

BY_DEADLINE = F("deadline").asc(nulls_last=True)


def surveys(user: User) -> QuerySet:
    return Survey.objects.order_by("name").values_list("pk", "name")


def owners(user: User) -> QuerySet:
    return User.objects.filter(owned(user, "pk")).order_by("name").values_list("pk", "name")


def teams(user: User) -> QuerySet:
    theirs = Team.objects.filter(members__in=User.objects.filter(owned(user, "pk")))
    return theirs.distinct().order_by("name").values_list("pk", "name")


@admin.register(OutreachTask)
class OutreachTaskAdmin(Assigning, SavedViews, Admin):
    list_display = (
        "customer_and_account", "time_left", "score", "words_and_theme", "segment_and_product",
        "revenue_and_renewal", "escalated_to",
    )  # fmt: skip
    list_display_links = ("customer_and_account",)
    list_filter = (
        queue.QueueFilter,
        TimeLeft,
        values_filter("product or touchpoint", "response__product"),
        values_filter("segment", "response__segment"),
        values_filter("survey", "response__survey", of=surveys),
        values_filter("owner", "owner", empty="Nobody", of=owners),
        values_filter("team", "owner__team", empty="No team", of=teams),
        choices_filter("why", "cause", OutreachTask.Cause.choices),
        choices_filter("escalated to", "level", [(0, "Nobody yet"), *Tier.choices]),
        Sleep,
    )
    list_select_related = ("customer__account", "response", "owner")
    search_fields = ("customer__name", "customer__email", "customer__account__name",
                     "response__comment")  # fmt: skip
    search_help_text = "Customer, account or comment"
    list_before_template = "admin/surveys/queue_tabs.html"
    list_fullwidth = True

    class Media:
        js = ("surveys/queue.js",)

    def get_queryset(self, request):
        return super().get_queryset(request).with_deadline()

    def get_list_display(self, request):
        """Whose “my tasks” are need not be said in each row."""
        whose = ("owner_name",) if queue.current(request).name != "mine" else ()
        return (*self.list_display, *whose)

    def get_ordering(self, request):
        latest = queue.LATEST_FIRST.get(queue.current(request).name)
        return [latest, "-pk"] if latest else [BY_DEADLINE, "due_at", "pk"]

    def get_paginator(self, request, queryset, per_page, *args, **kwargs):
        if queryset.model is not OutreachTask:  # but the entries of a task's history
            return super().get_paginator(request, queryset, per_page, *args, **kwargs)
        return queue.pages(request, queryset, per_page)

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
        now, chosen = queue.asked_at(request), queue.current(request)
        numbers = queue.counts(request.user, now)
        rows = [
            {"tab": tab, "count": numbers[tab.name], "active": tab.name == chosen.name}
            for tab in queue.shown(request.user, now, numbers, chosen.name)
        ]
        then = (row for row in rows if row["tab"].name == chosen.then and row["count"])
        context = {
            "title": "Outreach tasks",
            "queue_tabs": rows,
            "queue_tab": chosen,
            "queue_next": next(then, None),
            "queue_asleep": numbers["asleep"],
            "saved_views": SavedView.objects.visible_to(request.user).select_related("user"),
            "query_now": self.view_of(request, request.GET.urlencode()),
            "may_assign": self.has_assign_permission(request),
        }
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def change_view(self, request, object_id, form_url="", extra_context=None):
        return task_page.show(self, request, object_id)

    @display(description="customer", ordering="customer__name")
    def customer_and_account(self, task):
        return looks.person(task.customer)

    @display(description="time left", ordering=BY_DEADLINE)
    def time_left(self, task):
        return queue_looks.time_left(task, task.shown_at)

    @display(description="score", ordering="response__score")
    def score(self, task):
        return queue_looks.score(task)

    @display(description="comment, theme")
    def words_and_theme(self, task):
        return queue_looks.words(task.response.comment, task.theme)

    @display(description="segment, product", ordering="response__segment")
    def segment_and_product(self, task):
        answer = task.response
        return looks.two_lines(answer.segment or looks.NOTHING, answer.product)

    @display(
        description="revenue, renewal",
        ordering=F("customer__account__revenue").asc(nulls_first=True),
    )
    def revenue_and_renewal(self, task):
        return queue_looks.value(task.customer.account)

    @display(description="escalated to", ordering="level")
    def escalated_to(self, task):
        return queue_looks.level(task)

    @display(description="owner", ordering="owner__name")
    def owner_name(self, task):
        return queue_looks.owner(task, task.may_be_taken)
