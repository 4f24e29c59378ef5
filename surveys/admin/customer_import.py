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
from surveys.imports.rows import BROWSER, Unreadable

CONFIRM_WITHIN = 3600  # seconds


class UploadForm(forms.Form):
    file = forms.FileField(
        label="CSV file",
        widget=UnfoldAdminFileFieldWidget({"accept": ".csv,text/csv"}),
        help_text="At most 10 MB and 100,000 rows, with a first line of column names.",
    )


def view_of(model_admin):
    def view(request):
        if not request.user.has_perm("surveys.import_customer"):
            raise PermissionDenied
        if "checked" in request.POST:
            return _confirm(model_admin, request)
        form = UploadForm(request.POST or None, request.FILES or None)
        context = {"form": form}
        if request.method == "POST" and form.is_valid():
            try:
                context |= _preview(form.cleaned_data["file"].read(), request.user)
            except Unreadable as refusal:
                form.add_error("file", str(refusal))
        return _page(model_admin, request, context)

    return view


def _preview(content: bytes, user) -> dict:
    plan = customers.plan(io.BytesIO(content), BROWSER)
    context = {"plan": plan}
    if not plan.errors and not plan.changes_nothing:
        context["checked"] = _signer(user).sign_object(content.decode("latin-1"), compress=True)
    return context


def _confirm(model_admin, request):
    try:
        text = _signer(request.user).unsign_object(request.POST["checked"], max_age=CONFIRM_WITHIN)
    except signing.BadSignature:
        messages.error(request, "The check is older than an hour. Please upload the file again.")
        return redirect("admin:surveys_customer_import")
    plan = customers.plan(io.BytesIO(text.encode("latin-1")), BROWSER)
    try:
        moves = request.POST.get("keep_open_tasks") != "on"
        done = customers.apply(plan, by=request.user, now=timezone.now(), move_tasks=moves)
    except (customers.HasErrors, customers.ChangedMeanwhile) as refusal:
        messages.error(request, str(refusal))
        return _page(model_admin, request, {"form": UploadForm(), "plan": plan})
    messages.success(request, f"Imported: {done.created} new, {done.updated} changed.")
    return redirect("admin:surveys_customer_changelist")


def _signer(user) -> signing.TimestampSigner:
    return signing.TimestampSigner(salt=f"customer-import:{user.pk}")


def _page(model_admin, request, context: dict) -> TemplateResponse:
    site = model_admin.admin_site.each_context(request)
    shared = {"title": "Import customers", "opts": model_admin.opts}
    refused = context["form"].errors or ("plan" in context and context["plan"].errors)
    status = 422 if refused else 200
    page = "admin/surveys/customer_import.html"
    return TemplateResponse(request, page, {**site, **shared, **context}, status=status)
