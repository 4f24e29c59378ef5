"""Customers from a CSV file, in two steps: look at what it would do, then do exactly that.

The checked file travels signed in the page between the steps, so nothing personal is left on a disk
and any web process can take the second step.
"""

from __future__ import annotations

import io

from django import forms
from django.contrib import messages
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from unfold.widgets import UnfoldAdminFileFieldWidget

from surveys.imports import customers

LARGEST_FILE = 10 * 1024 * 1024  # bytes
CONFIRM_WITHIN = 3600  # seconds
SHOWN = 50  # rows of each list


class UploadForm(forms.Form):
    file = forms.FileField(
        label="CSV file",
        widget=UnfoldAdminFileFieldWidget({"accept": ".csv,text/csv"}),
        help_text="At most 10 MB, with a first line of column names.",
    )

    def clean_file(self):
        upload = self.cleaned_data["file"]
        if upload.size > LARGEST_FILE:
            raise forms.ValidationError(
                "This file is larger than 10 MB. Split it, or use manage.py import_customers."
            )
        return upload


def view_of(model_admin):
    def view(request):
        if not request.user.has_perm("surveys.import_customer"):
            raise PermissionDenied
        if "checked" in request.POST:
            return _confirm(model_admin, request)
        form = UploadForm(request.POST or None, request.FILES or None)
        context = {"form": form}
        if request.method == "POST" and form.is_valid():
            context |= _preview(form.cleaned_data["file"].read(), request.user)
        return _page(model_admin, request, context)

    return view


def _preview(content: bytes, user) -> dict:
    plan = customers.plan(io.BytesIO(content))
    context = {"plan": plan, "shown": SHOWN}
    if not plan.errors and (plan.created or plan.updated):
        context["checked"] = _signer(user).sign_object(content.decode("latin-1"), compress=True)
    return context


def _confirm(model_admin, request):
    try:
        text = _signer(request.user).unsign_object(request.POST["checked"], max_age=CONFIRM_WITHIN)
    except signing.BadSignature:
        messages.error(request, "The check is older than an hour. Please upload the file again.")
        return redirect("admin:surveys_customer_import")
    plan = customers.plan(io.BytesIO(text.encode("latin-1")))
    if plan.errors:
        return _page(model_admin, request, {"form": UploadForm(), "plan": plan, "shown": SHOWN})
    customers.apply(plan, by=request.user, now=timezone.now())
    new, changed = len(plan.created), len(plan.updated)
    messages.success(request, f"Imported: {new} new, {changed} changed.")
    return redirect("admin:surveys_customer_changelist")


def _signer(user) -> signing.TimestampSigner:
    return signing.TimestampSigner(salt=f"customer-import:{user.pk}")


def _page(model_admin, request, context: dict) -> TemplateResponse:
    site = model_admin.admin_site.each_context(request)
    shared = {"title": "Import customers", "opts": model_admin.opts}
    status = 422 if context.get("plan") and context["plan"].errors else 200
    page = "admin/surveys/customer_import.html"
    return TemplateResponse(request, page, {**site, **shared, **context}, status=status)
