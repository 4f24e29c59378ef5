"""Forgetting a customer in two steps: what would go and what would stay, then a reason and the own
password; and the list of those who were forgotten."""

from __future__ import annotations

from django import forms
from django.contrib import admin, messages
from django.contrib.auth import authenticate
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from unfold.decorators import display
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

from surveys.admin.base import Admin, ReadOnly
from surveys.admin.filters import choices_filter
from surveys.loop.forget import forget
from surveys.models import Customer, Erasure, Message

PERMISSION = "surveys.forget_customer"


class ForgetForm(forms.Form):
    reason = forms.CharField(
        max_length=200,
        widget=UnfoldAdminTextInputWidget,
        help_text="Such as “asked for it by letter of 3 March”. Leave the name out: this stays.",
    )
    password = forms.CharField(
        label="Your password",
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "current-password"}),
        help_text="It cannot be undone, so we make sure that it is you.",
    )

    def __init__(self, request: HttpRequest, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.request = request

    def clean_password(self) -> None:
        """Wrong ones count as at the log-in page, so that an open screen is no way to guess."""
        email, password = self.request.user.email, self.cleaned_data["password"]
        if authenticate(self.request, username=email, password=password) != self.request.user:
            raise forms.ValidationError("This is not your password.")


def view_of(model_admin: Admin):
    def view(request: HttpRequest, pk: int) -> HttpResponse:
        if not request.user.has_perm(PERMISSION):
            raise PermissionDenied
        customer = Customer.objects.visible_to(request.user).filter(pk=pk).first()
        if customer is None:
            raise Http404("There is no such customer.")
        form = ForgetForm(request, request.POST or None)
        if request.method == "POST" and form.is_valid():
            forget(customer, request.user, form.cleaned_data["reason"], timezone.now())
            messages.success(request, "The customer is forgotten. What was counted stays counted.")
            return redirect("admin:surveys_erasure_changelist")
        return _page(model_admin, request, customer, form)

    return view


def _page(
    model_admin: Admin, request: HttpRequest, customer: Customer, form: ForgetForm
) -> TemplateResponse:
    waiting = Message.objects.filter(invitation__customer=customer)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": f"Forget {customer}",
        "opts": model_admin.opts,
        "customer": customer,
        "form": form,
        "answers": customer.responses.count(),
        "open_tasks": customer.tasks.open().count(),
        "waiting": waiting.filter(state__in=["queued", "held", "in_doubt"]).count(),
    }
    status = 422 if form.errors else 200
    return TemplateResponse(request, "admin/surveys/forget.html", context, status=status)


@admin.register(Erasure)
class ErasureAdmin(ReadOnly, Admin):
    """When, by whom and why; never of whom."""

    list_display = ("at", "who", "cause", "reason", "is_noted")
    list_display_links = None
    list_filter = (choices_filter("cause", "cause", Erasure.Cause.choices),)
    list_select_related = ("by",)
    list_before_template = "admin/surveys/erasures.html"
    ordering = ("-at", "-pk")
    fields = ("at", "who", "cause", "reason")
    readonly_fields = ("who",)

    @display(description="by", ordering="by__name")
    def who(self, erasure: Erasure) -> str:
        nobody = {Erasure.Cause.CUSTOMER: "The customer", Erasure.Cause.TIME: "The clock"}
        return str(erasure.by or nobody.get(Erasure.Cause(erasure.cause), "A colleague who left"))

    @display(description="in the log outside the database", boolean=True)
    def is_noted(self, erasure: Erasure) -> bool:
        return erasure.noted_at is not None
