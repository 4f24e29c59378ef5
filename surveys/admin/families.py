"""Families: surveys that count as one when we ask who was asked lately, and who wants no more."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Count
from unfold.decorators import display

from surveys.admin.base import Admin
from surveys.models import Family


@admin.register(Family)
class FamilyAdmin(Admin):
    list_display = ("name", "throttle", "members")
    search_fields = ("name",)
    fields = ("name", "throttle_days")

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(surveys_count=Count("surveys"))

    @display(description="asks nobody twice within", ordering="throttle_days")
    def throttle(self, family):
        return f"{family.throttle_days} days" if family.throttle_days else "24 hours"

    @display(description="surveys", ordering="surveys_count")
    def members(self, family):
        return family.surveys_count
