"""My preferences: how I am told, where my clock hangs, and who stands in while I am away."""

from __future__ import annotations

from zoneinfo import available_timezones

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from surveys.loop import staff
from surveys.models import Absence, User


class PreferencesForm(forms.ModelForm):
    class Meta:
        model = User
        fields = ("notices", "time_zone")
        widgets = {
            "notices": UnfoldAdminSelectWidget,
            "time_zone": UnfoldAdminTextInputWidget({"list": "zones"}),
        }


def preferences(request: HttpRequest) -> HttpResponse:
    """The reader's own page; nobody else's."""
    user = User.objects.get(pk=request.user.pk)
    form = PreferencesForm(request.POST or None, instance=user)
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data
        staff.prefer(request.user, chosen["notices"], chosen["time_zone"], timezone.now())
        messages.success(request, "Your preferences are saved.")
        return redirect("preferences")
    context = {
        **admin.site.each_context(request),
        "title": "My preferences",
        "form": form,
        "zones": sorted(available_timezones()),
        "absences": Absence.objects.filter(user=user, last_day__gte=timezone.localdate()),
        "covering": Absence.objects.filter(cover=user, last_day__gte=timezone.localdate()),
    }
    status = 422 if form.errors else 200
    return TemplateResponse(request, "admin/surveys/preferences.html", context, status=status)


urlpatterns = [path("me/", admin.site.admin_view(preferences), name="preferences")]
