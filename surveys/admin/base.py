"""What every list and form of the admin has in common: whose rows, whose choices, whose trace."""

from __future__ import annotations

from django.contrib.admin.views.main import PAGE_VAR
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import Http404
from django.template.response import TemplateResponse
from django.utils import timezone
from unfold.admin import ModelAdmin, TabularInline
from unfold.views import ChangeList

from surveys.admin import history, trace
from surveys.admin.fresh import Fresh
from surveys.models import AuditEntry, User

SEARCH_LENGTH = 200  # characters
SEARCH_TERMS = 8
HISTORY_PAGE = 50


def visible(model: type[models.Model], user: User) -> models.QuerySet:
    """The rows of `model` that `user` may see; every row where the model draws no line."""
    rows = model._default_manager.all()
    return rows.visible_to(user) if hasattr(rows, "visible_to") else rows


class Scoped:
    """Rows and choices of foreign keys end at the reader's horizon."""

    def get_queryset(self, request):
        rows = super().get_queryset(request)
        return rows.visible_to(request.user) if hasattr(rows, "visible_to") else rows

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        if "queryset" not in kwargs:
            kwargs["queryset"] = self.choices_for(db_field, request)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def choices_for(self, db_field, request) -> models.QuerySet:
        """What the foreign key may point to; colleagues who have left are offered no more."""
        rows = visible(db_field.remote_field.model, request.user)
        return rows.filter(is_active=True) if rows.model is User else rows


class Rows(ChangeList):
    """Counts once: “5 of 7,000” costs a second count, and means little to who sees only the 5."""

    def get_results(self, request):
        super().get_results(request)
        self.full_result_count = self.result_count


class Admin(Scoped, Fresh, ModelAdmin):
    """Base of every page about a noun. Roles decide; evidence is never deleted."""

    actions = None
    list_per_page = 50
    list_filter_submit = True
    show_full_result_count = False
    show_facets = False
    compressed_fields = True
    warn_unsaved_form = True
    object_history_template = "admin/surveys/history.html"
    deletable = False
    unrecorded: frozenset[str] = frozenset()  # fields whose values stay out of the audit entries

    def get_changelist(self, request, **kwargs):
        return Rows

    def has_delete_permission(self, request, obj=None) -> bool:
        return self.deletable and super().has_delete_permission(request, obj)

    def get_search_results(self, request, queryset, search_term):
        words = search_term[:SEARCH_LENGTH].replace("\x00", "").split()[:SEARCH_TERMS]
        return super().get_search_results(request, queryset, " ".join(words))

    def lookup_allowed(self, lookup, value, request) -> bool:
        """Only what this page's own filters ask; `?user__password__startswith=` is none of them."""
        offered = {_parameter(choice) for choice in self.get_list_filter(request)}
        name = lookup.removesuffix("__exact").removesuffix("__id").removesuffix("__isnull")
        return name in offered

    def _get_obj_does_not_exist_redirect(self, request, opts, object_id):
        raise Http404(f"There is no {opts.verbose_name} {object_id}, or it is not yours to see.")

    def construct_change_message(self, request, form, formsets, add=False) -> dict[str, dict]:
        said = trace.Trace(self.unrecorded)
        said.form(form)
        for formset in formsets or []:
            said.rows(formset)
        return {"before": {} if add else said.before, "after": said.after}

    def log_addition(self, request, obj, message):
        return self._record("add", request, obj, message)

    def log_change(self, request, obj, message):
        return self._record("change", request, obj, message)

    def log_deletions(self, request, queryset):
        said = trace.Trace(self.unrecorded)
        return [
            self._record("delete", request, obj, {"before": said.whole(obj)}) for obj in queryset
        ]

    def _record(self, verb, request, obj, message):
        now = timezone.now()
        return AuditEntry.record(verb, obj, now, actor=request.user, **message)

    def history_view(self, request, object_id, extra_context=None):
        noun = self.get_object(request, object_id)
        if noun is None:
            self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if not self.has_view_or_change_permission(request, noun):
            raise PermissionDenied
        entries = history.entries_about(noun)
        pages = self.get_paginator(request, entries.select_related("actor"), HISTORY_PAGE)
        page = pages.get_page(request.GET.get(PAGE_VAR))
        context = {
            **self.admin_site.each_context(request),
            "title": f"History of {noun}",
            "page": page,
            "lines": history.readable(page),
            "object": noun,
            "opts": self.opts,
            **(extra_context or {}),
        }
        return TemplateResponse(request, self.object_history_template, context)


class Inline(Scoped, TabularInline):
    extra = 0
    show_change_link = False


class ReadOnly:
    """Rows that only verbs write."""

    def has_add_permission(self, request, obj=None) -> bool:
        return False

    def has_change_permission(self, request, obj=None) -> bool:
        return False

    def has_delete_permission(self, request, obj=None) -> bool:
        return False


def _parameter(choice) -> str:
    if isinstance(choice, str):
        return choice
    return choice[0] if isinstance(choice, tuple | list) else choice.parameter_name
