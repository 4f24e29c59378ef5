"""Open links: one address for everybody, with its QR code, its poster, and what to paste into a
web page."""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.formats import number_format
from django.utils.text import slugify
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from surveys.admin import looks, qr_codes
from surveys.admin.base import Admin
from surveys.admin.filters import choices_filter, values_filter
from surveys.delivery.links import open_link
from surveys.models import NoWording, OpenLink, Words

PICTURES = {"svg": (qr_codes.svg, "image/svg+xml"), "png": (qr_codes.png, "image/png")}


@admin.register(OpenLink)
class OpenLinkAdmin(Admin):
    list_display = ("name", "survey", "state", "answers", "machines", "created_at")
    list_filter = (
        values_filter("survey", "survey", label="survey__name"),
        choices_filter("open", "is_open", [("True", "Yes"), ("False", "No")]),
    )
    list_select_related = ("survey",)
    search_fields = ("name", "survey__name")
    list_before_template = "admin/surveys/open_links.html"
    change_form_outer_before_template = "admin/surveys/open_link.html"
    formfield_overrides = {models.TextField: {"widget": UnfoldAdminTextareaWidget({"rows": 4})}}
    deletable = True
    fieldsets = (
        (None, {"fields": (("survey", "name"), ("language", "is_open"))}),
        ("Against abuse", {"fields": (("daily_limit", "client_limit"),),
                           "description": "Anybody may answer, and as often as they like. Within "
                                          "these limits, and past the same traps for machines as "
                                          "in any survey."}),
        ("In other web pages", {"fields": ("framed_by",)}),
    )  # fmt: skip

    def get_queryset(self, request):
        return super().get_queryset(request).with_counts()

    def get_readonly_fields(self, request, obj=None):
        return ("survey",) if obj and obj.answers.exists() else ()

    def has_delete_permission(self, request, obj=None) -> bool:
        """What came in by it stays; it is closed instead."""
        is_used = obj is not None and obj.answers.exists()
        return super().has_delete_permission(request, obj) and not is_used

    def choices_for(self, db_field, request):
        choices = super().choices_for(db_field, request)
        return choices.filter(is_open=True) if db_field.name == "survey" else choices

    def get_urls(self):
        wrap = self.admin_site.admin_view
        return [
            path("<int:pk>/qr.<str:kind>", wrap(self.picture), name="surveys_openlink_qr"),
            path("<int:pk>/poster/", wrap(self.poster), name="surveys_openlink_poster"),
            *super().get_urls(),
        ]

    def response_add(self, request, obj, post_url_continue=None):
        """On to the address and its QR code, which is what it was made for."""
        request.POST = request.POST.copy() | {"_continue": "1"}
        return super().response_add(request, obj, post_url_continue)

    def change_view(self, request, object_id, form_url="", extra_context=None):
        link = self.get_object(request, object_id)
        context = _about(link) if link else {}
        return super().change_view(
            request, object_id, form_url, {**context, **(extra_context or {})}
        )

    def picture(self, request: HttpRequest, pk: int, kind: str) -> HttpResponse:
        """The QR code; with ?download as a file to keep."""
        if kind not in PICTURES:
            raise Http404("There are svg and png.")
        link, (draw, content_type) = self._find(request, pk), PICTURES[kind]
        response = HttpResponse(draw(open_link(link)), content_type=content_type)
        if "download" in request.GET:
            name = slugify(f"{link.survey} {link}") or "qr"
            response["Content-Disposition"] = f'attachment; filename="{name}.{kind}"'
        return response

    def poster(self, request: HttpRequest, pk: int) -> HttpResponse:
        """A page to print: the question, the code and the address."""
        link = self._find(request, pk)
        return render(request, "admin/surveys/poster.html", _about(link))

    def _find(self, request: HttpRequest, pk: int) -> OpenLink:
        link = self.get_queryset(request).select_related("survey").filter(pk=pk).first()
        if link is None:
            raise Http404("There is no such open link.")
        if not self.has_view_permission(request, link):
            raise PermissionDenied
        return link

    @display(description="state")
    def state(self, link):
        if link.takes_answers:
            return looks.badge("green", "Open")
        return looks.badge("grey", "Closed" if link.survey.is_open else "The survey is closed")

    @display(description="answers", ordering="person_answers")
    def answers(self, link):
        return number_format(link.person_answers, force_grouping=True)

    @display(description="by machines", ordering="machine_answers")
    def machines(self, link):
        return machine_share(link)


def machine_share(link: OpenLink) -> str:
    """Such as “3 of 120 (2 %)”: those that a machine gave, which count nowhere."""
    everything = link.person_answers + link.machine_answers
    if not everything:
        return looks.NOTHING
    percent = number_format(100 * link.machine_answers / everything, 0)
    return f"{link.machine_answers} of {everything} ({percent} %)"


def _about(link: OpenLink) -> dict:
    return {
        "link": link,
        "address": open_link(link),
        "machine_share": machine_share(link),
        "words": _words(link),
        "company": settings.COMPANY,
    }


def _words(link: OpenLink) -> Words | None:
    try:
        wording = link.survey.wording_for(link.language or link.survey.language)
    except NoWording:
        return None
    return wording.filled(name="", company=settings.COMPANY, product=link.survey.product)
