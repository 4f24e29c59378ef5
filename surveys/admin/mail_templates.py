"""The templates that mails to unhappy customers begin with: one for each language."""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from surveys.admin import looks
from surveys.admin.base import Admin
from surveys.admin.filters import choices_filter
from surveys.models import MailTemplate


@admin.register(MailTemplate)
class MailTemplateAdmin(Admin):
    """Whoever works the queue reads them; a mail that was sent stays as it was written."""

    list_display = ("name", "in_language", "subject", "words", "is_active")
    list_filter = (
        choices_filter("language", "language", settings.LANGUAGES),
        choices_filter("offered", "is_active", [("True", "Yes"), ("False", "No")]),
    )
    search_fields = ("name", "subject", "text")
    deletable = True
    fields = (("name", "language"), "subject", "text", "is_active")

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field and db_field.name == "text":
            field.widget = UnfoldAdminTextareaWidget({"rows": 14})
        return field

    @display(description="language", ordering="language")
    def in_language(self, template):
        return template.get_language_display()

    @display(description="text")
    def words(self, template):
        return looks.first_words(template.text)
