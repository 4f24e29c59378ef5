"""Accounts, their customers, and the addresses that must not be written to."""

from __future__ import annotations

from django.contrib import admin
from unfold.decorators import display

from surveys.admin import looks
from surveys.admin.base import Admin, ReadOnly
from surveys.admin.filters import choices_filter, values_filter
from surveys.models import Account, Customer, Suppression


@admin.register(Account)
class AccountAdmin(Admin):
    list_display = ("name", "owner", "segment", "region", "money", "renews_on")
    list_filter = (
        values_filter("owner", "owner", label="owner__name", empty="Nobody"),
        values_filter("segment", "segment"),
        values_filter("region", "region"),
    )
    list_select_related = ("owner",)
    search_fields = ("name", "external_id")
    fieldsets = (
        (None, {"fields": (("name", "external_id"), "owner", ("segment", "region"),
                           ("revenue", "renews_on"))}),
    )  # fmt: skip

    @display(description="revenue a year", ordering="revenue")
    def money(self, account):
        return looks.money(account.revenue)


@admin.register(Customer)
class CustomerAdmin(Admin):
    list_display = ("__str__", "account", "email", "phone", "segment_now", "language", "key")
    list_filter = (
        values_filter("segment", "segment"),
        values_filter("language", "language"),
        choices_filter("key contact", "is_key_contact", [("True", "Yes"), ("False", "No")]),
    )
    list_select_related = ("account",)
    search_fields = ("name", "email", "external_id", "account__name")
    autocomplete_fields = ("account",)
    unrecorded = frozenset({"name", "email", "phone"})
    fieldsets = (
        (None, {"fields": (("name", "email"), ("phone", "external_id"), "account",
                           ("segment", "is_key_contact"), ("language", "time_zone"))}),
    )  # fmt: skip

    @display(description="segment")
    def segment_now(self, customer):
        return customer.current_segment or looks.NOTHING

    @display(description="key contact", boolean=True)
    def key(self, customer):
        return customer.is_key_contact


@admin.register(Suppression)
class SuppressionAdmin(ReadOnly, Admin):
    """Only hashes of addresses are kept, so the list shows reasons and dates."""

    list_display = ("reason", "which", "at")
    list_display_links = None
    list_filter = (choices_filter("reason", "reason", Suppression.Reason.choices),)
    list_select_related = ("survey",)
    ordering = ("-at",)
    fields = ("reason", "survey", "at")

    @display(description="stops the mails of")
    def which(self, suppression):
        return suppression.survey or "Every survey"
