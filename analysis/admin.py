"""Themes in the admin: a person may give one a better name, which it keeps from then on."""

from __future__ import annotations

from django import forms
from django.contrib import admin
from unfold.decorators import display

from analysis.models import Theme
from surveys.admin.base import Admin
from surveys.admin.filters import values_filter


class ThemeForm(forms.ModelForm):
    def clean_label(self) -> str:
        """The database's rule, told before it is broken: no two living themes of one name."""
        label = self.cleaned_data["label"]
        theme = self.instance
        others = Theme.objects.living().filter(survey=theme.survey_id).exclude(pk=theme.pk)
        if theme.retired_at is None and others.filter(label__iexact=label).exists():
            raise forms.ValidationError("Another theme of this survey has this label already.")
        return label


@admin.register(Theme)
class ThemeAdmin(Admin):
    form = ThemeForm
    list_display = ("label", "survey", "words", "born_at", "is_living")
    list_select_related = ("survey",)
    list_filter = (
        values_filter("survey", "survey", "survey__name"),
        values_filter("product or touchpoint", "survey__product"),
    )
    search_fields = ("label",)
    fields = ("label", "survey", "words", "born_at", "retired_at")
    readonly_fields = ("survey", "words", "born_at", "retired_at")

    @display(description="keywords")
    def words(self, theme: Theme) -> str:
        return ", ".join(theme.keywords)

    @display(description="found in the last fit", boolean=True)
    def is_living(self, theme: Theme) -> bool:
        return theme.retired_at is None

    def has_add_permission(self, request) -> bool:
        return False  # they are found in comments, and named here
