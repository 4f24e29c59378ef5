"""What is set up once: root causes, teams, colleagues, absences, keys for machines."""

from __future__ import annotations

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from unfold.decorators import display

from surveys.admin import looks
from surveys.admin.base import Admin
from surveys.admin.filters import choices_filter, values_filter
from surveys.api import keys
from surveys.loop import own, staff
from surveys.models import Absence, ApiKey, OutreachTask, Role, RootCause, Team, User


@admin.register(RootCause)
class RootCauseAdmin(Admin):
    list_display = ("__str__", "is_active")
    list_filter = (choices_filter("offered", "is_active", [("True", "Yes"), ("False", "No")]),)
    list_select_related = ("parent",)
    search_fields = ("name",)
    fields = ("name", "parent", "is_active")

    def choices_for(self, db_field, request):
        return super().choices_for(db_field, request).filter(parent=None)


@admin.register(Team)
class TeamAdmin(Admin):
    list_display = ("name", "takes_unowned", "of_segments")
    search_fields = ("name",)
    deletable = True
    fields = ("name", "takes_unowned", "segments")

    @display(description="of the segments")
    def of_segments(self, team):
        return ", ".join(team.segments) or (
            looks.NOTHING if not team.takes_unowned else "All others"
        )


class UserForm(forms.ModelForm):
    def clean_email(self) -> str:
        return self.cleaned_data["email"].lower()


@admin.register(User)
class UserAdmin(Admin):
    """Adding a colleague invites them by mail; nobody is deleted, those who leave are unticked."""

    list_display = ("name", "email", "role", "team", "is_active", "last_login")
    list_filter = (
        choices_filter("role", "role", Role.choices),
        values_filter("team", "team", label="team__name", empty="None"),
        choices_filter("active", "is_active", [("True", "Yes"), ("False", "No")]),
    )
    list_select_related = ("team",)
    search_fields = ("name", "email")
    form = UserForm
    fields = (("name", "email"), ("role", "team"), "time_zone", "is_active")
    change_form_outer_after_template = "admin/surveys/welcome.html"

    def get_fields(self, request, obj=None):
        return self.fields if obj else self.fields[:-1]

    def get_readonly_fields(self, request, obj=None):
        """Nobody takes their own rights away: the last administrator would be locked out."""
        return ("role", "is_active") if obj == request.user else ()

    def save_model(self, request, obj, form, change):
        if change:
            super().save_model(request, obj, form, change)
            if "is_active" in form.changed_data and not obj.is_active:
                _hand_on(request, obj)
            return
        staff.invite_colleague(obj, request.user, timezone.now())
        messages.info(request, f"{obj} is mailed a link to choose a password.")

    def log_addition(self, request, obj, message):
        """The verb has recorded the invitation."""

    def get_urls(self):
        view = self.admin_site.admin_view(self.welcome)
        return [path("<int:pk>/welcome/", view, name="surveys_user_welcome"), *super().get_urls()]

    def welcome(self, request, pk: int):
        if not request.user.has_perm("surveys.change_user"):
            raise PermissionDenied
        colleague = User.objects.filter(pk=pk, is_active=True).first()
        if colleague is None:
            raise Http404("There is no such active colleague.")
        if request.method == "POST":
            staff.welcome(colleague, timezone.now())
            messages.success(request, f"{colleague} is mailed a new link to choose a password.")
        return redirect("admin:surveys_user_change", pk)


def _hand_on(request, colleague: User) -> None:
    if number := own.leave(colleague, request.user, timezone.now()):
        left = OutreachTask.objects.open().filter(owner=None, assigned_at=None).count()
        said = f"{number} open task{'s' if number > 1 else ''} of {colleague} went on to others."
        messages.info(request, said + (f" {left} open tasks have no owner now." if left else ""))


@admin.register(Absence)
class AbsenceAdmin(Admin):
    """While somebody is away, their cover sees and works their accounts. So nobody names themselves
    the cover of somebody else, but for those who lead."""

    list_display = ("user", "cover", "first_day", "last_day")
    list_select_related = ("user", "cover")
    deletable = True
    fields = (("user", "cover"), ("first_day", "last_day"))

    def get_queryset(self, request):
        return super().get_queryset(request).filter(_about(request.user, or_covering=True))

    def choices_for(self, db_field, request):
        users = super().choices_for(db_field, request)
        return users if db_field.name == "cover" else users.filter(_subjects(request.user))

    def has_change_permission(self, request, obj=None) -> bool:
        return super().has_change_permission(request, obj) and _may_edit(request.user, obj)

    def has_delete_permission(self, request, obj=None) -> bool:
        return super().has_delete_permission(request, obj) and _may_edit(request.user, obj)


def _subjects(user: User) -> Q:
    """Whose absences `user` writes down: everyone's, the own team's, or their own."""
    if user.role in {Role.ADMINISTRATOR, Role.PROGRAM_MANAGER, Role.AUDITOR}:
        return Q()
    own = Q(pk=user.pk)
    return own | Q(team=user.team_id) if user.role == Role.TEAM_LEAD and user.team_id else own


def _about(user: User, or_covering: bool) -> Q:
    about = Q(user__in=User.objects.filter(_subjects(user)))
    return about | Q(cover=user) if or_covering else about


def _may_edit(user: User, absence: Absence | None) -> bool:
    if absence is None:
        return True
    return User.objects.filter(_subjects(user), pk=absence.user_id).exists()


@admin.register(ApiKey)
class ApiKeyAdmin(Admin):
    list_display = ("name", "prefix", "scope", "user", "state", "expires_at", "last_used_at")
    list_filter = (choices_filter("scope", "scope", ApiKey.Scope.choices),)
    list_select_related = ("user",)
    search_fields = ("name", "prefix", "user__name")
    fields = ("name", ("scope", "user"), "expires_at")
    change_form_outer_after_template = "admin/surveys/api_key_revoke.html"

    def has_change_permission(self, request, obj=None) -> bool:
        return False

    def get_urls(self):
        view = self.admin_site.admin_view(self.revoke)
        return [path("<int:pk>/revoke/", view, name="surveys_apikey_revoke"), *super().get_urls()]

    def save_model(self, request, obj, form, change):
        key, obj.text = keys.issue(
            obj.name, obj.user, obj.scope, timezone.now(), obj.expires_at, by=request.user
        )
        obj.pk, obj.prefix = key.pk, key.prefix

    def log_addition(self, request, obj, message):
        """The verb has recorded the issue."""

    def response_add(self, request, obj, post_url_continue=None):
        """The one page that shows the key itself."""
        site = self.admin_site.each_context(request)
        context = {**site, "title": "The new key", "key": obj, "opts": self.opts}
        return TemplateResponse(request, "admin/surveys/api_key.html", context)

    def revoke(self, request, pk: int):
        if not request.user.has_perm("surveys.change_apikey"):
            raise PermissionDenied
        key = ApiKey.objects.filter(pk=pk).first()
        if key is None:
            raise Http404("There is no such key.")
        if request.method == "POST":
            keys.revoke(key, request.user, timezone.now())
            messages.success(request, f"{key} opens nothing any more.")
        return redirect("admin:surveys_apikey_change", pk)

    @display(description="state")
    def state(self, key):
        if key.revoked_at:
            return "Revoked"
        expired = key.expires_at and key.expires_at <= timezone.now()
        return "Expired" if expired else "In use"
