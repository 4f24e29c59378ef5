"""Who did what, when and why; rows that nobody can change."""

from __future__ import annotations

from django.contrib import admin
from unfold.decorators import display

from surveys.admin import looks
from surveys.admin.base import Admin, ReadOnly
from surveys.admin.filters import values_filter
from surveys.models import AuditEntry


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnly, Admin):
    list_display = ("at", "who", "verb", "what", "reason")
    list_filter = (
        values_filter("verb", "verb"),
        values_filter("noun", "noun"),
        values_filter("colleague", "actor", label="actor__name", empty="A customer or the clock"),
    )
    list_select_related = ("actor",)
    search_fields = ("=noun_id", "reason", "actor__name")
    search_help_text = "Number, reason or colleague"
    fields = (("at", "who"), ("verb", "noun", "noun_id"), "before", "after", "reason")
    readonly_fields = ("who",)

    @display(description="what", ordering="noun_id")
    def what(self, entry):
        return looks.noun_link(self.admin_site, entry.noun, entry.noun_id)

    @display(description="by", ordering="actor__name")
    def who(self, entry):
        return entry.actor or "A customer or the clock"
