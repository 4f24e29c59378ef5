"""Surveys with their words."""

from __future__ import annotations

from django.contrib import admin
from django.db import models
from unfold.admin import StackedInline
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from surveys.admin.base import Admin, Scoped
from surveys.admin.default_words import default_wording
from surveys.admin.filters import choices_filter, values_filter
from surveys.models import Kind, Survey, Wording


class WordingInline(Scoped, StackedInline):
    model = Wording
    extra = 0
    formfield_overrides = {models.TextField: {"widget": UnfoldAdminTextareaWidget({"rows": 3})}}
    verbose_name_plural = (
        "Words, one set for each language; {name}, {company} and {product} are filled in"
    )
    fields = ("language", "subject", "greeting", "intro", "question",
              ("low_label", "high_label"), "comment_label", "thanks")  # fmt: skip


@admin.register(Survey)
class SurveyAdmin(Admin):
    list_display = ("name", "kind", "product", "languages", "is_open", "created_at")
    list_filter = (
        choices_filter("kind", "kind", Kind.choices),
        values_filter("product or touchpoint", "product"),
    )
    search_fields = ("name", "product")
    inlines = (WordingInline,)
    fieldsets = (
        (None, {"fields": ("name", ("kind", "product"), ("language", "sender_name"),
                           ("valid_days", "is_open"))}),
    )  # fmt: skip

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("wordings")

    def get_inlines(self, request, obj):
        return self.inlines if obj else ()

    def get_readonly_fields(self, request, obj=None):
        return ("kind",) if obj and obj.responses.exists() else ()

    def save_model(self, request, obj, form, change):
        """A new survey comes with words of its kind, so that it can be sent in a minute."""
        super().save_model(request, obj, form, change)
        if not change:
            default_wording(obj).save()

    def response_add(self, request, obj, post_url_continue=None):
        """On to the words, which want a look before anybody is asked."""
        request.POST = request.POST.copy() | {"_continue": "1"}
        return super().response_add(request, obj, post_url_continue)

    @display(description="words in")
    def languages(self, survey):
        words = [wording.get_language_display() for wording in survey.wordings.all()]
        return ", ".join(words) or "None yet"
