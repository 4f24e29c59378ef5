"""The queue's filters by the clock, so that each figure of the board can open its tasks."""

from __future__ import annotations

from django.db.models import Q
from unfold.contrib.filters.admin import DropdownFilter

from surveys.admin import queue
from surveys.models import OutreachTask
from surveys.models.urgency import urgencies

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
        rule = urgencies(queue.asked_at(request)).get(self.value())
        is_open = Q(state=OutreachTask.State.OPEN)
        return queryset.filter(is_open, rule) if rule else queryset.none()


class Sleep(DropdownFilter):
    title = "snoozed"
    parameter_name = "sleep"

    def lookups(self, request, model_admin):
        return [("asleep", "Snoozed"), ("awake", "Not snoozed")]

    def queryset(self, request, queryset):
        asleep = queue.OPEN & queue.asleep(queue.asked_at(request))
        rules = {"asleep": asleep, "awake": ~asleep}
        rule = rules.get(self.value()) if self.value() else Q()
        return queryset.none() if rule is None else queryset.filter(rule)
