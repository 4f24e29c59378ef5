"""Invitations: who was asked and who was not, and who has not answered, key contacts first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.contrib.admin.views.main import ORDER_VAR
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.timezone import localtime
from unfold.decorators import display

from surveys.admin import given_links, looks
from surveys.admin.base import Admin, ReadOnly, Rows
from surveys.admin.filters import choices_filter, values_filter
from surveys.exports import csv_stream
from surveys.models import Channel, Invitation
from surveys.models.invitations import Invitations

COLUMNS = "customer email phone account owner key_contact survey product sent days_since"
SILENT, GIVEN = "silent", "given"


@dataclass(frozen=True)
class Tab:
    name: str
    title: str
    empty: str  # what to do next when there is nothing


TABS = {
    tab.name: tab
    for tab in (
        Tab("all", "All", "Nobody has been asked yet. Plan a wave, or add a trigger to a survey."),
        Tab(SILENT, "Not answered", "Everybody who can still answer has answered."),
        Tab(GIVEN, "Links not answered", "Every link that was handed over has been answered."),
        Tab("answered", "Answered", "No answer has come in yet."),
        Tab("not_asked", "Not asked", "Nobody was left out."),
    )
}


def current(request: HttpRequest) -> Tab:
    return TABS.get(request.GET.get("tab", ""), TABS["all"])


def under(tab: Tab, rows: Invitations) -> Invitations:
    """The invitations that belong under the tab."""
    if tab.name == SILENT:
        return rows.unanswered().filter(expires_at__gt=timezone.now())
    if tab.name == GIVEN:
        open_ones = rows.filter(link_given_at__isnull=False, expires_at__gt=timezone.now())
        return open_ones.exclude(response__verdict="person")
    if tab.name == "answered":
        return rows.filter(response__verdict="person")
    return rows.exclude(decision=Invitation.Decision.ASK) if tab.name == "not_asked" else rows


class TabFilter(SimpleListFilter):
    """Keeps the chosen tab while other filters are changed; the tabs themselves are its choices."""

    title = "tab"
    parameter_name = "tab"
    template = "admin/surveys/queue_filter.html"

    def lookups(self, request, model_admin):
        self.tab = current(request)
        return [(tab.name, tab.title) for tab in TABS.values()]

    def queryset(self, request, queryset):
        return under(self.tab, queryset)

    def choices(self, changelist) -> Iterator[dict]:
        yield {"name": self.parameter_name, "value": self.tab.name}


class InvitationRows(Rows):
    """A tab is a place, not a filter: the filter button lights up for the others only."""

    def __init__(self, request, *args, **kwargs):
        super().__init__(request, *args, **kwargs)
        self.has_active_filters = any(name != "tab" for name in self.filter_params)

    def get_ordering(self, request, queryset):
        if current(request).name == SILENT and ORDER_VAR not in self.params:
            return ["-customer__is_key_contact", "sent_at", "pk"]
        return super().get_ordering(request, queryset)


@admin.register(Invitation)
class InvitationAdmin(ReadOnly, Admin):
    list_display = ("who", "survey", "product_asked", "how", "created_at", "expires_at")
    list_display_links = ("who",)
    list_filter = (
        TabFilter,
        values_filter("survey", "survey", label="survey__name"),
        values_filter("wave", "wave", label="wave__name"),
        choices_filter("decision", "decision", Invitation.Decision.choices),
        choices_filter("asked by", "channel", Channel.choices),
        values_filter("product or touchpoint", "product"),
        values_filter("owner", "customer__account__owner", label="customer__account__owner__name"),
        choices_filter(
            "key contact", "customer__is_key_contact", [("True", "Yes"), ("False", "No")]
        ),
    )
    list_select_related = ("customer__account__owner", "survey", "response")
    search_fields = ("customer__name", "customer__email", "customer__account__name")
    search_help_text = "Customer or account"
    list_before_template = "admin/surveys/invitation_tabs.html"
    ordering = ("-created_at", "-pk")
    fields = (("customer", "survey"), ("decision", "throttled_by"), ("occasion", "wave"),
              ("product", "language"), ("channel", "link_given_at"), ("created_at", "send_at"),
              "expires_at")  # fmt: skip

    def get_changelist(self, request, **kwargs):
        return InvitationRows

    def get_list_display(self, request):
        if current(request).name == SILENT:
            return ("who", "survey", "product_asked", "silent_for", "owner_name")
        return self.list_display

    def get_urls(self):
        wrap = self.admin_site.admin_view
        return [
            path("not-answered.csv", wrap(self.download), name="surveys_invitation_silent"),
            path("links.csv", wrap(self.links), name="surveys_invitation_links"),
            *super().get_urls(),
        ]

    def changelist_view(self, request, extra_context=None):
        chosen = current(request)
        others = request.GET.copy()
        others.pop("tab", None)
        others.pop("p", None)
        context = {
            "tabs": TABS.values(),
            "tab": chosen,
            "others": others.urlencode(),
            "download": reverse("admin:surveys_invitation_silent") if chosen.name == SILENT else "",
            "query": request.GET.urlencode(),
            "may_give_links": request.user.has_perm(given_links.GIVE),
        }
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def download(self, request: HttpRequest) -> StreamingHttpResponse:
        """Everybody who has not answered, under the filters of the list, as a CSV file."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        request.GET = request.GET.copy()
        request.GET["tab"] = SILENT
        rows = self.get_changelist_instance(request).queryset
        now = timezone.now()
        return csv_stream("not-answered", COLUMNS, (_line(one, now) for one in rows.iterator()))

    def links(self, request: HttpRequest) -> HttpResponse:
        """The links of everybody under the tab and filters of the list who can still answer."""
        if request.method != "POST":
            return redirect("admin:surveys_invitation_changelist")
        rows = self.get_changelist_instance(request).queryset
        return given_links.download(request, rows, request.user, request.GET.dict())

    @display(description="customer", ordering="customer__name")
    def who(self, invitation):
        return looks.person(invitation.customer)

    @display(description="product", ordering="product")
    def product_asked(self, invitation):
        return invitation.product or looks.NOTHING

    @display(description="decision", ordering="decision")
    def how(self, invitation):
        return how(invitation)

    @display(description="sent", ordering="sent_at")
    def silent_for(self, invitation):
        since = timezone.now() - invitation.sent_at
        day = date_format(localtime(invitation.sent_at), "SHORT_DATE_FORMAT")
        return looks.two_lines(f"{looks.span(since)} ago", day)

    @display(description="account owner", ordering="customer__account__owner__name")
    def owner_name(self, invitation):
        account = invitation.customer.account
        return (account and account.owner) or "Nobody"


def how(invitation: Invitation) -> str:
    """The decision as a badge: answered, asked, or not asked with the reason."""
    if invitation.decision != Invitation.Decision.ASK:
        return looks.badge("grey", invitation.get_decision_display())
    response = getattr(invitation, "response", None)
    if response is not None and response.verdict == response.Verdict.PERSON:
        return looks.badge("green", "Answered")
    if invitation.channel == Channel.LINK:
        given = "Link handed over" if invitation.link_given_at else "Link to hand over"
        return looks.badge("amber", given)
    return looks.badge("amber", "Asked")


def _line(invitation: Invitation, now: datetime) -> list[object]:
    customer, account = invitation.customer, invitation.customer.account
    return [
        customer.name,
        customer.email,
        customer.phone,
        account.name if account else "",
        str(account.owner) if account and account.owner else "",
        "yes" if customer.is_key_contact else "no",
        invitation.survey.name,
        invitation.product,
        invitation.sent_at.isoformat(timespec="seconds"),
        (now - invitation.sent_at).days,
    ]
