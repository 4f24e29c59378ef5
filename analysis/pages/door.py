"""Who may come in, and the frame of the admin around what they see."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

VIEW_REPORT = "analysis.view_report"
View = Callable[..., HttpResponse]


def for_holders_of(permission: str) -> Callable[[View], View]:
    """Strangers are sent to the log-in; colleagues without the permission are told so."""

    def guard(view: View) -> View:
        @require_safe
        @wraps(view)
        def guarded(request: HttpRequest, **arguments) -> HttpResponse:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path(), reverse("admin:login"))
            if not request.user.has_perm(permission):
                context = {"title": "No access"}
                return framed(request, "analysis/forbidden.html", context, status=403)
            return view(request, **arguments)

        return guarded

    return guard


for_readers_of_reports = for_holders_of(VIEW_REPORT)


def framed(request: HttpRequest, template: str, context: dict, status: int = 200) -> HttpResponse:
    """The template inside the admin, with its sidebar and its theme."""
    request.current_app = admin.site.name
    return render(request, template, admin.site.each_context(request) | context, status=status)
