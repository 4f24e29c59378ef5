"""Who did what, when and why; rows that nobody can change, to look through and to take along."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import timedelta

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseNotAllowed, StreamingHttpResponse
from django.urls import path, reverse
from django.utils import timezone
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import display

from surveys.admin import history, looks
from surveys.admin.base import Admin, ReadOnly, Rows
from surveys.admin.filters import choices_filter
from surveys.exports import csv_stream
from surveys.models import AuditEntry, AuditSeal, User

COLUMNS = "id at actor verb noun noun_id before after reason erased seal"
FORMS = ("csv", "json")
BATCH = 2_000


class Colleague(DropdownFilter):
    """By name, from the list of colleagues: the trail itself may be long."""

    title, parameter_name = "by", "actor"
    NOBODY = "-"

    def lookups(self, request, model_admin):
        users = User.objects.order_by("name").values_list("pk", "name")
        return [(self.NOBODY, history.NOBODY), *((str(pk), name) for pk, name in users)]

    def queryset(self, request, queryset):
        value = self.value()
        if value == self.NOBODY:
            return queryset.filter(actor=None)
        return queryset.filter(actor=value) if value and value.isdecimal() else queryset


class Since(DropdownFilter):
    title, parameter_name = "when", "days"

    def lookups(self, request, model_admin):
        return [("1", "Last 24 hours"), ("7", "Last 7 days"), ("31", "Last 31 days"),
                ("366", "Last 366 days")]  # fmt: skip

    def queryset(self, request, queryset):
        if self.value() not in dict(self.lookup_choices):
            return queryset
        return queryset.filter(at__gte=timezone.now() - timedelta(days=int(self.value())))


class Noun(DropdownFilter):
    title, parameter_name = "what", "noun"

    def lookups(self, request, model_admin):
        models = (model._meta for model in model_admin.admin_site._registry)
        return sorted(((m.model_name, str(m.verbose_name)) for m in models), key=lambda two: two[1])

    def queryset(self, request, queryset):
        return queryset.filter(noun=self.value()) if self.value() else queryset


class Trail(Rows):
    """Finds the names that a page of entries points to at once."""

    def get_results(self, request):
        super().get_results(request)
        self.result_list = list(self.result_list)
        for line in history.readable(self.result_list):
            line.entry.line = line


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnly, Admin):
    list_display = ("at", "who", "did", "what", "changes", "reason")
    list_filter = (
        Since,
        Colleague,
        choices_filter("did", "verb", list(history.WORDS.items())),
        Noun,
    )
    list_select_related = ("actor",)
    search_fields = ("=noun_id", "reason", "actor__name")
    search_help_text = "Number, reason or colleague"
    list_before_template = "admin/surveys/audit_export.html"
    fields = (("at", "who"), ("did", "what"), "changes", "reason", "sealed")
    readonly_fields = ("who", "did", "what", "changes", "sealed")

    def get_changelist(self, request, **kwargs):
        return Trail

    def get_urls(self):
        view = self.admin_site.admin_view(self.export)
        route = path("export/<slug:form>/", view, name="surveys_auditentry_export")
        return [route, *super().get_urls()]

    def changelist_view(self, request, extra_context=None):
        asked = request.GET.urlencode()
        exports = [
            (form.upper(), f"{reverse('admin:surveys_auditentry_export', args=[form])}?{asked}")
            for form in FORMS
        ]
        return super().changelist_view(request, {"exports": exports, **(extra_context or {})})

    def export(self, request: HttpRequest, form: str):
        """The entries that the list shows, all of them, as a file; that itself is recorded."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if form not in FORMS:
            raise Http404("As csv or json.")
        if not self.has_view_permission(request):
            raise PermissionDenied
        entries = self.get_changelist_instance(request).queryset.order_by("pk")
        last = AuditEntry.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        filters = {name: value for name, value in request.GET.items() if value}
        after, now = {"filters": filters, "format": form}, timezone.now()
        AuditEntry.record("export", AuditEntry(pk=last), now, actor=request.user, after=after)
        rows = _rows(entries.filter(pk__lte=last))
        return csv_stream("audit", COLUMNS, map(_flat, rows)) if form == "csv" else _json(rows)

    @display(description="by", ordering="actor__name")
    def who(self, entry):
        return entry.actor or history.NOBODY

    @display(description="did", ordering="verb")
    def did(self, entry):
        return history.words(entry.verb)

    @display(description="what", ordering="noun_id")
    def what(self, entry):
        return looks.noun_link(self.admin_site, entry.noun, entry.noun_id)

    @display(description="before and after")
    def changes(self, entry):
        if entry.erasure_id:
            return "Erased with the customer"
        line = getattr(entry, "line", None) or history.readable([entry])[0]
        said = [f"{name}: {before} → {after}" if before else f"{name}: {after}"
                for name, before, after in line.changes]  # fmt: skip
        return "; ".join(said) or looks.NOTHING

    @display(description="seal")
    def sealed(self, entry):
        return AuditSeal.objects.filter(entry=entry.pk).first() or "Waits for the sweep"


def _rows(entries) -> Iterator[dict]:
    """As plain values, a batch at a time, each with its seal."""
    last = 0
    while batch := list(entries.filter(pk__gt=last).select_related("actor")[:BATCH]):
        seals = {s.entry: s for s in AuditSeal.objects.filter(entry__in=[e.pk for e in batch])}
        for entry in batch:
            yield _row(entry, seals.get(entry.pk))
        last = batch[-1].pk


def _row(entry: AuditEntry, seal: AuditSeal | None) -> dict:
    return {
        "id": entry.pk,
        "at": entry.at.isoformat(),
        "actor": entry.actor.email if entry.actor else None,
        "verb": entry.verb,
        "noun": entry.noun,
        "noun_id": entry.noun_id,
        "before": entry.before,
        "after": entry.after,
        "reason": entry.reason,
        "erased": entry.erasure_id is not None,
        "seal": str(seal) if seal else None,
    }


def _flat(row: dict) -> list:
    return [json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value
            for value in row.values()]  # fmt: skip


def _json(rows: Iterable[dict]) -> StreamingHttpResponse:
    """One array, a row on each line."""
    return StreamingHttpResponse(
        _lines(rows),
        content_type="application/json",
        headers={"Content-Disposition": 'attachment; filename="audit.json"'},
    )


def _lines(rows: Iterable[dict]) -> Iterator[str]:
    yield "["
    for number, row in enumerate(rows):
        yield (",\n" if number else "\n") + json.dumps(row, ensure_ascii=False)
    yield "\n]\n"
