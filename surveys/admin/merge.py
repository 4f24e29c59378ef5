"""Merging duplicates: choose records in a list, see what would become of them, say why, confirm."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from unfold.decorators import action
from unfold.widgets import UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from surveys.admin import looks
from surveys.loop import merge, own

PAGE = "admin/surveys/merge.html"


class ReasonForm(forms.Form):
    reason = forms.CharField(
        max_length=300,
        widget=UnfoldAdminTextInputWidget,
        label="How do you know that they are one?",
        help_text="It is kept in the history of the one that stays.",
    )
    move_tasks = forms.BooleanField(
        required=False,
        initial=own.TASKS_MOVE_ALONG,
        widget=UnfoldBooleanSwitchWidget,
        label="Open tasks go to the owner of the account that stays",
        help_text="Those of the owner before, and those that are nobody’s. What was handed to "
        "somebody else stays with them.",
    )


class Mergeable:
    # Subclasses must name the verb, and the function that lists likely duplicates.
    merges: Callable
    alike: Callable[[], list]
    actions = ("merge_chosen",)

    def has_merge_permission(self, request) -> bool:
        return request.user.has_perm(f"surveys.change_{self.opts.model_name}")

    def get_urls(self):
        pages = [("merge/", self.merge_page, "merge"),
                 ("duplicates/", self.duplicates_page, "duplicates")]  # fmt: skip
        return [
            *(
                path(route, self.admin_site.admin_view(view), name=self._name(name))
                for route, view, name in pages
            ),
            *super().get_urls(),
        ]

    def _name(self, page: str) -> str:
        return f"surveys_{self.opts.model_name}_{page}"

    def changelist_view(self, request, extra_context=None):
        may = self.has_merge_permission(request)
        link = reverse(f"admin:{self._name('duplicates')}") if may else ""
        return super().changelist_view(request, {"duplicates_link": link, **(extra_context or {})})

    @action(description="Merge duplicates", permissions=["merge"])
    def merge_chosen(self, request, queryset):
        return redirect(self._address([row.pk for row in queryset[: merge.MOST + 1]]))

    def _address(self, pks: Sequence[int], keep: int | None = None) -> str:
        chosen = "&".join([f"id={pk}" for pk in pks] + ([f"keep={keep}"] if keep else []))
        return f"{reverse('admin:' + self._name('merge'))}?{chosen}"

    def duplicates_page(self, request: HttpRequest) -> HttpResponse:
        """Likely duplicates, each group with a link to its comparison."""
        self._refuse(request)
        groups = [(each.why, each.rows, self._address([row.pk for row in each.rows]))
                  for each in type(self).alike()]  # fmt: skip
        context = {"title": f"Likely duplicates among {self.opts.verbose_name_plural}",
                   "groups": groups}  # fmt: skip
        return self._page(request, "admin/surveys/duplicates.html", context)

    def merge_page(self, request: HttpRequest) -> HttpResponse:
        """What merging would do; by POST, with a reason, it is done."""
        self._refuse(request)
        rows = self._rows(request)
        kept = next((row for row in rows if str(row.pk) == _asked(request).get("keep")), rows[0])
        others = [row for row in rows if row != kept]
        form, now = ReasonForm(request.POST or None), timezone.now()
        try:
            if request.method == "POST" and form.is_valid():
                why, moves = form.cleaned_data["reason"], form.cleaned_data["move_tasks"]
                type(self).merges(kept, others, request.user, why, now, moves)
                messages.success(request, f"Merged into {kept}.")
                return redirect(f"admin:surveys_{self.opts.model_name}_change", kept.pk)
            context = _compared(kept, rows, merge.preview(kept, others, now))
        except merge.CannotMerge as refusal:
            messages.error(request, str(refusal))
            return redirect(f"admin:surveys_{self.opts.model_name}_changelist")
        return self._page(request, PAGE, {**context, "form": form, "title": "Merge duplicates"})

    def _refuse(self, request: HttpRequest) -> None:
        if not self.has_merge_permission(request):
            raise PermissionDenied

    def _rows(self, request: HttpRequest) -> list[models.Model]:
        pks = [pk for pk in dict.fromkeys(_asked(request).getlist("id")) if pk.isdecimal()]
        rows = self.get_queryset(request).in_bulk([int(pk) for pk in pks[: merge.MOST + 1]])
        if len(rows) != len(pks):
            raise Http404("One of them is not there any more, or not yours to see.")
        if not rows:
            raise Http404("Choose in the list what to merge.")
        return [rows[int(pk)] for pk in pks]

    def _page(self, request: HttpRequest, template: str, context: dict) -> HttpResponse:
        site = self.admin_site.each_context(request)
        return TemplateResponse(request, template, {**site, "opts": self.opts, **context})


def _asked(request: HttpRequest):
    return request.POST if request.method == "POST" else request.GET


def _compared(
    kept: models.Model, rows: Sequence[models.Model], preview: merge.Preview
) -> dict[str, Any]:
    """The records side by side, and what the one that stays will say."""
    wins = {winner.name: winner.value for winner in preview.fields}
    return {
        "rows": rows,
        "kept": kept,
        "fields": [
            (
                kept._meta.get_field(name).verbose_name,
                _shown(wins.get(name)),
                [_shown(getattr(row, name)) for row in rows],
            )
            for name in merge.FIELDS[type(kept)]
        ],
        "preview": preview,
        "moves": sorted(preview.moves.items()),
    }


def _shown(value: Any) -> str:
    return looks.NOTHING if value in (None, "") else str(value)
