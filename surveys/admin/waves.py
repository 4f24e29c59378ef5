"""Waves: choose an audience, see what follows, launch, watch it go out, and hold it back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from itertools import chain

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from surveys.admin import given_links, wave_page
from surveys.admin.base import Admin
from surveys.admin.filters import choices_filter, values_filter
from surveys.loop import ask, remind, waves
from surveys.models import Account, Channel, Customer, CustomerProperty, Wave

REFUSALS = (ask.CannotLaunch, waves.CannotChange, remind.CannotRemind)


@admin.register(Wave)
class WaveAdmin(Admin):
    list_display = ("name", "survey", "product", "channel", "state", "launched_at", "launched_by")
    list_filter = (
        values_filter("survey", "survey", label="survey__name"),
        values_filter("product or touchpoint", "product_asked"),
        choices_filter("state", "state", Wave.State.choices),
        choices_filter("asked by", "channel", Channel.choices),
    )
    list_select_related = ("survey", "launched_by")
    search_fields = ("name", "survey__name")
    deletable = True
    autocomplete_fields = ("account",)
    change_form_outer_after_template = "admin/surveys/wave.html"
    fieldsets = (
        (None, {"fields": (("survey", "name"), ("product", "channel"))}),
        ("Audience", {"fields": (("segment", "language"), ("owner", "account"),
                                 ("not_asked_for_days", "last_band"),
                                ("last_score_from", "last_score_to"),
                                 ("property_name", "property_value"),
                                 ("sample_size", "key_contacts_only")),
                      "description": "Leave everything empty to ask every customer."}),
        ("Sending", {"fields": (("starts_on", "spread_days"), ("heads_up_days", "at_once")),
                     "description": "Of mails. Links are handed over when it suits."}),
    )  # fmt: skip

    class Media:
        js = ("surveys/live.js",)

    def get_queryset(self, request):
        return super().get_queryset(request).with_product()

    def has_change_permission(self, request, obj=None) -> bool:
        return super().has_change_permission(request, obj) and _is_draft(obj)

    def has_delete_permission(self, request, obj=None) -> bool:
        return super().has_delete_permission(request, obj) and _is_draft(obj)

    def get_fieldsets(self, request, obj=None):
        """Of a launched wave, what was chosen: empty fields say nothing any more."""
        if _is_draft(obj):
            return self.fieldsets
        rows = self.fieldsets[:2] if obj.channel == Channel.LINK else self.fieldsets
        said = [(title, _chosen(obj, options["fields"])) for title, options in rows]
        return [(title, {"fields": rows}) for title, rows in said if rows]

    def choices_for(self, db_field, request):
        choices = super().choices_for(db_field, request)
        return choices.filter(is_open=True) if db_field.name == "survey" else choices

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        """Segment and language are chosen, not typed: a misspelt one would ask nobody."""
        choices = {"segment": _segments, "language": _languages, "property_name": _properties}
        if db_field.name in choices:
            kwargs["widget"] = UnfoldAdminSelectWidget(choices=choices[db_field.name]())
        if db_field.name == "sample_size":
            kwargs["min_value"] = 1
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def response_add(self, request, obj, post_url_continue=None):
        """On to the audience and the preview, which want a look before the launch."""
        request.POST = request.POST.copy() | {"_continue": "1"}
        return super().response_add(request, obj, post_url_continue)

    def get_urls(self):
        pages = {name: self._do(verb) for name, verb in VERBS.items()}
        pages |= {"progress": self.progress, "links": self.links}
        wrap = self.admin_site.admin_view
        return [
            *(
                path(f"<int:pk>/{name}/", wrap(view), name=f"surveys_wave_{name}")
                for name, view in pages.items()
            ),
            *super().get_urls(),
        ]

    def _do(self, verb: Callable) -> Callable:
        def view(request: HttpRequest, pk: int) -> HttpResponse:
            wave = self._find(request, pk, "surveys.change_wave")
            if request.method == "POST":
                try:
                    messages.success(request, verb(wave, request, timezone.now()))
                except REFUSALS as refusal:
                    messages.error(request, str(refusal))
            return redirect("admin:surveys_wave_change", pk)

        return view

    def progress(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The figures alone, for the page that keeps itself fresh."""
        wave = self._find(request, pk, "surveys.view_wave")
        if _is_draft(wave):
            raise Http404("This wave has not been launched.")
        context = {"wave": wave, **wave_page.under_way(wave)}
        return render(request, "admin/surveys/wave_progress.html", context)

    def links(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Everybody's personal link as a file, for other means than our mail."""
        wave = self._find(request, pk, given_links.GIVE)
        if request.method != "POST":
            return redirect("admin:surveys_wave_change", pk)
        return given_links.download(request, wave.invitations.all(), wave)

    def _find(self, request: HttpRequest, pk: int, permission: str) -> Wave:
        wave = self.get_queryset(request).select_related("survey").filter(pk=pk).first()
        if wave is None:
            raise Http404("There is no such wave.")
        if not request.user.has_perm(permission):
            raise PermissionDenied
        return wave

    def change_view(self, request, object_id, form_url="", extra_context=None):
        wave = self.get_object(request, object_id)
        about = wave_page.about(wave, request.GET, timezone.now()) if wave else {}
        return super().change_view(request, object_id, form_url, {**about, **(extra_context or {})})

    @display(description="product", ordering="product_asked")
    def product(self, wave):
        return wave.product_asked


def _launch(wave: Wave, request: HttpRequest, now: datetime) -> str:
    ask.launch(wave, request.user, now)
    if wave.channel == Channel.LINK:
        return f"“{wave}” is launched. Download its links here in a moment."
    return f"“{wave}” is launched. The mails go out by themselves."


def _pause(wave: Wave, request: HttpRequest, now: datetime) -> str:
    held = waves.pause(wave, request.user, now)
    return f"“{wave}” is paused; {held:,} mails are held back until you resume it."


def _resume(wave: Wave, request: HttpRequest, now: datetime) -> str:
    queued = waves.resume(wave, request.user, now)
    return f"“{wave}” goes on; {queued:,} mails are queued again."


def _stop(wave: Wave, request: HttpRequest, now: datetime) -> str:
    cancelled = waves.stop(wave, request.user, now)
    return f"“{wave}” is stopped; {cancelled:,} mails are cancelled. What was sent can be answered."


def _remind(wave: Wave, request: HttpRequest, now: datetime) -> str:
    queued = remind.remind_wave(wave, request.user, now)
    if not queued:
        return (
            "Nobody is left to remind: all have answered, were mailed within 24 hours, or were "
            "reminded five times."
        )
    return f"{queued:,} reminders go out when each customer's window is open."


def _spread(wave: Wave, request: HttpRequest, now: datetime) -> str:
    days = request.POST.get("days", "")
    waves.spread(wave, int(days) if days.isdecimal() else 0, request.user, now)
    return f"“{wave}” is spread over {wave.spread_days} days."


VERBS = {
    "launch": _launch,
    "pause": _pause,
    "resume": _resume,
    "stop": _stop,
    "remind": _remind,
    "spread": _spread,
}


def _segments() -> list[tuple[str, str]]:
    """Every segment that an account or a customer has."""
    rows = (noun.objects.order_by().values_list("segment") for noun in (Account, Customer))
    names = {name for (name,) in chain.from_iterable(each.distinct() for each in rows) if name}
    return [("", "Every segment"), *((name, name) for name in sorted(names))]


def _languages() -> list[tuple[str, str]]:
    return [("", "Every language"), *settings.LANGUAGES]


def _properties() -> list[tuple[str, str]]:
    names = CustomerProperty.objects.order_by("name").values_list("name", flat=True).distinct()
    return [("", "Whatever they are"), *((name, name) for name in names)]


def _is_draft(wave: Wave | None) -> bool:
    return wave is None or wave.state == Wave.State.DRAFT


def _chosen(wave: Wave, rows: tuple) -> list[tuple[str, ...]]:
    """The fields that hold something, in the rows in which the form has them."""
    named = [row if isinstance(row, tuple) else (row,) for row in rows]
    kept = [tuple(name for name in row if getattr(wave, name) not in ("", None)) for row in named]
    return [row for row in kept if row]
