"""Accounts, their customers, and the addresses that must not be written to."""

from __future__ import annotations

from django import forms
from django.contrib import admin, messages
from django.urls import path, reverse
from django.utils import timezone
from unfold.decorators import display
from unfold.widgets import UnfoldBooleanSwitchWidget

from surveys.admin import correspondence, customer_import, forgetting, looks
from surveys.admin.base import Admin, Inline, ReadOnly
from surveys.admin.filters import choices_filter, values_filter
from surveys.admin.merge import Mergeable
from surveys.loop import duplicates, merge, own
from surveys.models import Account, Customer, CustomerProperty, Suppression


class AccountForm(forms.ModelForm):
    move_tasks = forms.BooleanField(
        label="With a new owner, open tasks move along",
        required=False,
        initial=own.TASKS_MOVE_ALONG,
        widget=UnfoldBooleanSwitchWidget,
        help_text="Those of the owner before, and those that are nobody’s. What was handed to "
        "somebody else stays with them.",
    )


@admin.register(Account)
class AccountAdmin(Mergeable, Admin):
    merges, alike = merge.merge_accounts, duplicates.accounts
    form = AccountForm
    list_display = ("name", "owner", "segment", "region", "money", "renews_on")
    list_filter = (
        values_filter("owner", "owner", label="owner__name", empty="Nobody"),
        values_filter("segment", "segment"),
        values_filter("region", "region"),
    )
    list_select_related = ("owner",)
    search_fields = ("name", "external_id")
    list_before_template = "admin/surveys/duplicates_link.html"
    fieldsets = (
        (None, {"fields": (("name", "external_id"), ("owner", "move_tasks"), ("segment", "region"),
                           ("revenue", "renews_on"))}),
    )  # fmt: skip

    def get_fieldsets(self, request, obj=None):
        """Without an owner before there is nothing to move along."""
        if obj and self.has_change_permission(request, obj):
            return self.fieldsets
        return ((None, {"fields": (("name", "external_id"), "owner", ("segment", "region"),
                                   ("revenue", "renews_on"))}),)  # fmt: skip

    def save_model(self, request, obj, form, change):
        super().save_model(request, obj, form, change)
        if change and "owner" in form.changed_data and form.cleaned_data["move_tasks"]:
            now = timezone.now()
            moved = own.follow(obj, form.initial.get("owner"), now, request.user)
            if moved:
                messages.info(request, f"{moved} open task{'s' if moved > 1 else ''} moved along.")

    @display(description="revenue a year", ordering="revenue")
    def money(self, account):
        return looks.money(account.revenue)


class PropertyInline(Inline):
    """Waves choose their audience by these."""

    model = CustomerProperty
    fields = ("name", "value")
    verbose_name_plural = "What else is known of them, such as plan = Gold"


@admin.register(Customer)
class CustomerAdmin(Mergeable, Admin):
    merges, alike = merge.merge_customers, duplicates.customers
    list_display = ("__str__", "account", "email", "phone", "segment_now", "language", "key")
    list_filter = (
        values_filter("segment", "segment"),
        values_filter("language", "language"),
        choices_filter("key contact", "is_key_contact", [("True", "Yes"), ("False", "No")]),
    )
    list_select_related = ("account",)
    search_fields = ("name", "email", "external_id", "account__name")
    autocomplete_fields = ("account",)
    inlines = (PropertyInline,)
    unrecorded = Customer.personal
    list_before_template = "admin/surveys/customers_import_link.html"
    change_form_outer_after_template = "admin/surveys/customer.html"
    fieldsets = (
        (None, {"fields": (("name", "email"), ("phone", "external_id"), "account",
                           ("segment", "is_key_contact"), ("language", "time_zone"),
                           "country")}),
    )  # fmt: skip

    def get_urls(self):
        import_view = self.admin_site.admin_view(customer_import.view_of(self))
        forget_view = self.admin_site.admin_view(forgetting.view_of(self))
        return [
            path("import/", import_view, name="surveys_customer_import"),
            path("<int:pk>/forget/", forget_view, name="surveys_customer_forget"),
            *super().get_urls(),
        ]

    def changelist_view(self, request, extra_context=None):
        may_import = request.user.has_perm("surveys.import_customer")
        link = reverse("admin:surveys_customer_import") if may_import else ""
        return super().changelist_view(request, {"import_link": link, **(extra_context or {})})

    def change_view(self, request, object_id, form_url="", extra_context=None):
        customer = self.get_object(request, object_id)
        about = {}
        if customer:
            about["stops"] = correspondence.stops_of(customer)
            about["mails"] = correspondence.mails_of(customer)
        return super().change_view(request, object_id, form_url, {**about, **(extra_context or {})})

    @display(description="segment")
    def segment_now(self, customer):
        return customer.current_segment or looks.NOTHING

    @display(description="key contact", ordering="is_key_contact")
    def key(self, customer):
        return "Yes" if customer.is_key_contact else looks.NOTHING


@admin.register(Suppression)
class SuppressionAdmin(ReadOnly, Admin):
    """Only hashes of addresses are kept, so the list shows reasons and dates."""

    list_display = ("reason", "which", "at")
    list_display_links = None
    list_filter = (choices_filter("reason", "reason", Suppression.Reason.choices),)
    list_select_related = ("family",)
    list_before_template = "admin/surveys/suppressions.html"
    ordering = ("-at",)
    fields = ("reason", "family", "at")

    def changelist_view(self, request, extra_context=None):
        chosen = request.GET.get("reason", "")
        context = {"reasons": correspondence.numbers(), "chosen_reason": chosen}
        return super().changelist_view(request, {**context, **(extra_context or {})})

    @display(description="stops the mails of")
    def which(self, suppression):
        return suppression.family or "Every survey"
