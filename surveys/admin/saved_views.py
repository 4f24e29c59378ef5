"""Saved views of the queue: a tab and filters under a name, for oneself or for the team."""

from __future__ import annotations

from collections.abc import Collection

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import path
from django.utils import timezone
from django.utils.http import urlencode

from surveys.admin.assigning import back_to_list
from surveys.loop import keep
from surveys.models import SavedView
from surveys.models.saved_views import NAME_LENGTH, QUERY_LENGTH


class ViewForm(forms.Form):
    name = forms.CharField(max_length=NAME_LENGTH)
    is_shared = forms.BooleanField(required=False)


class SavedViews:
    """The part of the list that keeps views."""

    def get_urls(self):
        pages = [("views/keep/", self.keep_view, "keep"),
                 ("views/let-go/", self.let_go_of_view, "let_go")]  # fmt: skip
        return [
            *(
                path(route, self.admin_site.admin_view(view), name=f"surveys_outreachtask_{name}")
                for route, view, name in pages
            ),
            *super().get_urls(),
        ]

    def view_of(self, request: HttpRequest, query: str) -> str:
        """What of a list's query is kept: nothing that was typed into the search, and no order, as
        columns have other numbers for other readers."""
        return kept(query, {choice.parameter_name for choice in self.get_list_filter(request)})

    def keep_view(self, request: HttpRequest) -> HttpResponse:
        self._refuse(request)
        form = ViewForm(request.POST)
        query = self.view_of(request, request.POST.get("back", ""))
        if not form.is_valid() or len(query) > QUERY_LENGTH:
            messages.error(
                request,
                f"Give the view a name of up to {NAME_LENGTH} characters, and fewer filters.",
            )
            return back_to_list(request)
        name, is_shared = form.cleaned_data["name"], form.cleaned_data["is_shared"]
        try:
            view = keep.keep(request.user, name, query, is_shared, timezone.now())
            messages.success(request, f"The view “{view}” is saved.")
        except keep.CannotKeep as refusal:
            messages.error(request, str(refusal))
        return back_to_list(request)

    def let_go_of_view(self, request: HttpRequest) -> HttpResponse:
        self._refuse(request)
        pk = request.POST.get("view", "")
        for view in SavedView.objects.filter(user=request.user, pk=pk) if pk.isdecimal() else ():
            keep.let_go(view, request.user, timezone.now())
            messages.success(request, f"The view “{view}” is removed.")
        return back_to_list(request)

    def _refuse(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied


def kept(query: str, known: Collection[str]) -> str:
    """The `known` parameters of a query, in one order, so that equal views are equal texts."""
    pairs = ((name, values) for name, values in QueryDict(query).lists() if name in known)
    return urlencode(sorted(pairs), doseq=True)
