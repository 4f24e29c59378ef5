"""Waves: choose an audience, look at the mail, launch, and watch it go out."""

from __future__ import annotations

from itertools import chain

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import Http404
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils import timezone
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from surveys.admin.base import Admin
from surveys.admin.filters import choices_filter, values_filter
from surveys.delivery.emails import invitation_preview
from surveys.loop import ask
from surveys.models import Account, Customer, Invitation, Message, NoWording, Suppression, Wave

SAMPLE = 10


@admin.register(Wave)
class WaveAdmin(Admin):
    list_display = ("name", "survey", "product", "state", "launched_at", "launched_by")
    list_filter = (
        values_filter("survey", "survey", label="survey__name"),
        choices_filter("state", "state", Wave.State.choices),
    )
    list_select_related = ("survey", "launched_by")
    search_fields = ("name", "survey__name")
    deletable = True
    change_form_outer_after_template = "admin/surveys/wave.html"
    fieldsets = (
        (None, {"fields": (("survey", "name"), "product")}),
        ("Audience", {"fields": (("segment", "language"), ("owner", "key_contacts_only")),
                      "description": "Leave everything empty to ask every customer."}),
    )  # fmt: skip

    def has_change_permission(self, request, obj=None) -> bool:
        return super().has_change_permission(request, obj) and _is_draft(obj)

    def has_delete_permission(self, request, obj=None) -> bool:
        return super().has_delete_permission(request, obj) and _is_draft(obj)

    def choices_for(self, db_field, request):
        choices = super().choices_for(db_field, request)
        return choices.filter(is_open=True) if db_field.name == "survey" else choices

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        """Segment and language are chosen, not typed: a misspelt one would ask nobody."""
        if db_field.name == "segment":
            kwargs["widget"] = UnfoldAdminSelectWidget(choices=_segments())
        if db_field.name == "language":
            every = ("", "Every language")
            kwargs["widget"] = UnfoldAdminSelectWidget(choices=[every, *settings.LANGUAGES])
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def response_add(self, request, obj, post_url_continue=None):
        """On to the audience and the preview, which want a look before the launch."""
        request.POST = request.POST.copy() | {"_continue": "1"}
        return super().response_add(request, obj, post_url_continue)

    def get_urls(self):
        view = self.admin_site.admin_view(self.launch)
        return [path("<int:pk>/launch/", view, name="surveys_wave_launch"), *super().get_urls()]

    def launch(self, request, pk: int):
        wave = self.get_queryset(request).filter(pk=pk).first()
        if wave is None:
            raise Http404("There is no such wave.")
        if not request.user.has_perm("surveys.change_wave"):
            raise PermissionDenied
        if request.method == "POST":
            try:
                ask.launch(wave, request.user, timezone.now())
                messages.success(request, f"“{wave}” is launched. The mails go out by themselves.")
            except ask.CannotLaunch as refusal:
                messages.error(request, str(refusal))
        return redirect("admin:surveys_wave_change", pk)

    def change_view(self, request, object_id, form_url="", extra_context=None):
        wave = self.get_object(request, object_id)
        about = about_wave(wave) if wave else {}
        return super().change_view(request, object_id, form_url, {**about, **(extra_context or {})})

    @display(description="product", ordering="product")
    def product(self, wave):
        return wave.product or wave.survey.product


def _segments() -> list[tuple[str, str]]:
    """Every segment that an account or a customer has."""
    rows = (noun.objects.order_by().values_list("segment") for noun in (Account, Customer))
    names = {name for (name,) in chain.from_iterable(each.distinct() for each in rows) if name}
    return [("", "Every segment"), *((name, name) for name in sorted(names))]


def _is_draft(wave: Wave | None) -> bool:
    return wave is None or wave.state == Wave.State.DRAFT


def about_wave(wave: Wave) -> dict:
    """What the page says beside the form: who would be asked, with which mail; or how it went."""
    context = {"wave": wave, "preview": _preview(wave)}
    if wave.state == Wave.State.DRAFT:
        context["audience"] = audience(wave)
        context["launch_link"] = reverse("admin:surveys_wave_launch", args=[wave.pk])
    else:
        context["progress"] = progress(wave)
    return context


def audience(wave: Wave) -> dict:
    """How many customers the wave would ask, how many of them cannot be asked and why, and ten."""
    customers = wave.audience()
    addresses = list(customers.exclude(email=None).values_list("email", flat=True))
    total, suppressed = customers.count(), len(Suppression.among(addresses, wave.survey))
    return {
        "total": total,
        "no_address": total - len(addresses),
        "suppressed": suppressed,
        "asked": len(addresses) - suppressed,
        "sample": list(customers.select_related("account").order_by("name", "pk")[:SAMPLE]),
    }


def progress(wave: Wave) -> list[tuple[str, int]]:
    """What became of a launched wave's invitations, in the order in which it happens."""
    asked = Q(decision=Invitation.Decision.ASK)
    rows = wave.invitations.aggregate(
        planned=Count("pk", filter=asked),
        not_asked=Count("pk", filter=~asked),
        answered=Count("response"),
    )
    mails = dict(
        Message.objects.filter(invitation__wave=wave, kind=Message.Kind.INVITATION)
        .order_by()
        .values_list("state")
        .annotate(Count("pk"))
    )
    waiting = mails.get("queued", 0) + mails.get("sending", 0)
    return [
        ("Asked", rows["planned"]),
        ("Not asked", rows["not_asked"]),
        ("Waiting to be sent", waiting),
        ("Sent", mails.get("sent", 0)),
        ("Failed", mails.get("failed", 0)),
        ("In doubt", mails.get("in_doubt", 0)),
        ("Answered", rows["answered"]),
    ]


def _preview(wave: Wave) -> str:
    try:
        return invitation_preview(wave.survey, wave.language or wave.survey.language)
    except NoWording:
        return ""
