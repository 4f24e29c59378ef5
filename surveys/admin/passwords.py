"""Choosing a password by a mailed link; asking for it tells nobody which addresses are known."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth import views
from django.contrib.auth.forms import PasswordResetForm, SetPasswordForm
from django.http import HttpResponseRedirect
from django.urls import path, reverse_lazy
from django.utils import timezone
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminPasswordWidget

from surveys.loop import staff


def name_tried(request, credentials: dict | None) -> str:
    """Whose door the lock-out counts: in lower case, as every spelling opens the same one."""
    tried = credentials or (request.POST if request else {})
    return (tried.get("username") or "").strip().lower()


class AskForm(PasswordResetForm):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["email"].label = "Your e-mail address"
        self.fields["email"].widget = UnfoldAdminEmailInputWidget({"autocomplete": "email"})

    def save(self, **options) -> None:
        staff.request_password_reset(self.cleaned_data["email"], timezone.now())


class ChooseForm(SetPasswordForm):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget = UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"})


class Page:
    def get_context_data(self, **kwargs):
        site = admin.site.each_context(self.request)
        return {**site, **super().get_context_data(**kwargs)}


class Ask(Page, views.PasswordResetView):
    form_class = AskForm
    template_name = "admin/surveys/password_ask.html"
    success_url = reverse_lazy("password_reset_done")


class Asked(Page, views.PasswordResetDoneView):
    template_name = "admin/surveys/password_asked.html"


class Choose(Page, views.PasswordResetConfirmView):
    form_class = ChooseForm
    template_name = "admin/surveys/password_choose.html"
    success_url = reverse_lazy("password_reset_complete")

    def form_valid(self, form):
        staff.choose_password(self.user, form.cleaned_data["new_password1"], timezone.now())
        del self.request.session[views.INTERNAL_RESET_SESSION_TOKEN]
        return HttpResponseRedirect(self.get_success_url())


class Chosen(Page, views.PasswordResetCompleteView):
    template_name = "admin/surveys/password_chosen.html"


urlpatterns = [
    path("password_reset/", Ask.as_view(), name="admin_password_reset"),
    path("password_reset/done/", Asked.as_view(), name="password_reset_done"),
    path("reset/<uidb64>/<token>/", Choose.as_view(), name="password_reset_confirm"),
    path("reset/done/", Chosen.as_view(), name="password_reset_complete"),
]
