"""Surveys with their words."""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin, messages
from django.db import models, transaction
from django.forms import BaseInlineFormSet
from django.shortcuts import redirect
from django.urls import path
from django.utils import timezone
from unfold.admin import StackedInline
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from surveys.admin.base import Admin, Scoped
from surveys.admin.default_words import default_wording, languages_to_add, words_to_add
from surveys.admin.filters import choices_filter, values_filter
from surveys.admin.previews import Previews
from surveys.admin.triggers import TriggerInline
from surveys.loop import resume
from surveys.models import Kind, Reminder, ReminderText, Survey, Wording
from surveys.models.reminders import MOST as MOST_REMINDERS


class WordingFormSet(BaseInlineFormSet):
    """A reason has the same key in every language, or it could not be counted across them."""

    def clean(self) -> None:
        super().clean()
        kept = [
            form for form in self.forms if form.is_valid() and not self._should_delete_form(form)
        ]
        offering = [form for form in kept if form.instance.reasons]
        if not offering:
            return
        fallback = self.instance.language
        first = next((form for form in offering if form.instance.language == fallback), offering[0])
        wanted = dict(first.instance.choices)
        for form in offering:
            if problem := _differing(dict(form.instance.choices), wanted):
                named = first.instance.get_language_display()
                form.add_error("reasons", f"The keys must be those of {named}. {problem}")


def _differing(keys: dict[str, str], wanted: dict[str, str]) -> str:
    sentences = [
        (" to add: ", [key for key in wanted if key not in keys]),
        (" to remove or rename: ", [key for key in keys if key not in wanted]),
    ]
    return " ".join(f"Keys{what}{', '.join(these)}." for what, these in sentences if these)


class WordingInline(Scoped, StackedInline):
    model = Wording
    formset = WordingFormSet
    extra = 0
    formfield_overrides = {models.TextField: {"widget": UnfoldAdminTextareaWidget({"rows": 3})}}
    verbose_name_plural = (
        "Words, one set for each language; {name}, {company} and {product} are filled in"
    )
    fieldsets = (
        (None, {"fields": ("language", "subject", "greeting", "intro", "question",
                           ("low_label", "high_label"), "comment_label", "thanks")}),
        ("What is asked after the score, and reasons to choose from", {
            "fields": ("promoter_question", "passive_question", "detractor_question", "reasons"),
            "classes": ("collapse",)}),
        ("What is said at the end", {
            "fields": ("promoter_thanks", "passive_thanks", "detractor_thanks"),
            "classes": ("collapse",)}),
    )  # fmt: skip

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        if db_field.name == "reasons":
            kwargs["widget"] = UnfoldAdminTextareaWidget({"rows": 8, "spellcheck": "true"})
        return super().formfield_for_dbfield(db_field, request, **kwargs)


class ReminderTextInline(Scoped, StackedInline):
    model = ReminderText
    extra = 0
    formfield_overrides = {models.TextField: {"widget": UnfoldAdminTextareaWidget({"rows": 3})}}
    verbose_name_plural = "Its own words; in other languages the survey's words are used again"
    fields = (("language", "subject"), "intro")


class ReminderInline(Scoped, StackedInline):
    model = Reminder
    extra = 0
    max_num = MOST_REMINDERS
    inlines = (ReminderTextInline,)
    verbose_name_plural = "Reminders, only to those who have not answered"
    fields = (("number", "after_days"),)


@admin.register(Survey)
class SurveyAdmin(Previews, Admin):
    list_display = ("name", "kind", "product", "languages", "is_open", "created_at")
    list_filter = (
        choices_filter("kind", "kind", Kind.choices),
        values_filter("product or touchpoint", "product"),
    )
    search_fields = ("name", "product")
    inlines = (WordingInline, ReminderInline, TriggerInline)
    change_form_outer_before_template = "admin/surveys/survey.html"
    change_form_outer_after_template = "admin/surveys/survey_languages.html"
    fieldsets = (
        (None, {"fields": ("name", ("kind", "product"), ("language", "sender_name"),
                           ("brand", "valid_days"), "is_open")}),
        ("Manners", {"fields": ("family", ("send_from", "send_until"), "working_days_only",
                                "silence_alert_days", "task_on_loyalty_drop")}),
    )  # fmt: skip

    def get_queryset(self, request):
        rows = super().get_queryset(request).select_related("brand")
        return rows.prefetch_related("wordings", "reminders__texts")

    def get_fieldsets(self, request, obj=None):
        """A new survey asks for little; its manners have defaults that can be changed later."""
        return self.fieldsets if obj else self.fieldsets[:1]

    def get_inlines(self, request, obj):
        return self.inlines if obj else ()

    def get_readonly_fields(self, request, obj=None):
        return ("kind",) if obj and obj.responses.exists() else ()

    def save_model(self, request, obj, form, change):
        """A new survey comes with words of its kind, so that it can be sent in a minute."""
        super().save_model(request, obj, form, change)
        if not change:
            default_wording(obj, obj.language).save()

    def response_add(self, request, obj, post_url_continue=None):
        """On to the words, which want a look before anybody is asked."""
        request.POST = request.POST.copy() | {"_continue": "1"}
        return super().response_add(request, obj, post_url_continue)

    def construct_change_message(self, request, form, formsets, add=False):
        """Reminders hold texts of their own, whose changes are recorded too."""
        rows = [row for formset in formsets or [] for row in formset.forms]
        inner = [each.formset for row in rows for each in getattr(row, "nested_formsets", [])]
        saved = [formset for formset in inner if hasattr(formset, "new_objects")]
        return super().construct_change_message(request, form, [*(formsets or []), *saved], add)

    def change_view(self, request, object_id, form_url="", extra_context=None):
        survey = self.get_object(request, object_id)
        names = dict(settings.LANGUAGES)
        to_add = [names[each] for each in languages_to_add(survey)] if survey else []
        context = {"languages_to_add": to_add, **(extra_context or {})}
        return super().change_view(request, object_id, form_url, context)

    def get_urls(self):
        wrap = self.admin_site.admin_view
        return [
            path(
                "<int:pk>/languages/",
                wrap(self.add_languages),
                name="surveys_survey_add_languages",
            ),
            path("<int:pk>/resume/", wrap(self.resume), name="surveys_survey_resume"),
            *super().get_urls(),
        ]

    def resume(self, request, pk: int):
        """After what paused it was put right."""
        survey = self.get_survey(request, pk, "surveys.change_survey")
        if request.method == "POST":
            try:
                queued = resume.resume(survey, request.user, timezone.now())
                messages.success(request, f"“{survey}” goes on; {queued} mails are queued again.")
            except resume.NotPaused as refusal:
                messages.error(request, str(refusal))
        return redirect("admin:surveys_survey_change", pk)

    def add_languages(self, request, pk: int):
        """Standard words in every language that has none yet."""
        survey = self.get_survey(request, pk, "surveys.add_wording")
        if request.method == "POST":
            new = words_to_add(survey)
            with transaction.atomic():
                Wording.objects.bulk_create(new)
                added = ", ".join(wording.language for wording in new)
                self.log_change(request, survey, {"after": {"added wording": added}})
            messages.success(request, f"Added standard words in {len(new)} languages.")
        return redirect("admin:surveys_survey_change", pk)

    @display(description="words in")
    def languages(self, survey):
        words = [wording.get_language_display() for wording in survey.wordings.all()]
        return ", ".join(words) or "None yet"
