"""The queue's filter by the time left, so that each figure of the board can open its tasks."""

from __future__ import annotations

from django.utils import timezone
from unfold.contrib.filters.admin import DropdownFilter

from surveys.models.urgency import open_tasks, urgencies

CHOICES = [
    ("overdue", "Overdue"),
    ("within_4", "Under 4 h"),
    ("within_24", "Under 24 h"),
    ("today", "Due today"),
    ("reached", "Reached, to be closed"),
]


class TimeLeft(DropdownFilter):
    title = "time left"
    parameter_name = "left"

    def lookups(self, request, model_admin):
        return CHOICES

    def queryset(self, request, queryset):
        if not self.value():
            return queryset
        rule = urgencies(timezone.now()).get(self.value())
        return queryset.filter(pk__in=open_tasks().filter(rule)) if rule else queryset.none()
