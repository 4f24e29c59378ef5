"""Answers: what came back, and who gave it."""

from __future__ import annotations

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.timezone import localtime
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from surveys.admin import looks
from surveys.admin.base import Admin, Inline, ReadOnly
from surveys.admin.filters import choices_filter, values_filter
from surveys.loop import answer
from surveys.models import Band, Response, ResponseVersion, Sign, Visit

MOST_VISITS = 50


class VersionInline(ReadOnly, Inline):
    model = ResponseVersion
    fields = ("number", "score", "words", "chosen", "wish", "verdict", "why", "recorded_at")
    readonly_fields = ("words", "chosen", "wish", "why")
    verbose_name_plural = "Versions: each press of a button"

    @display(description="comment")
    def words(self, version):
        return looks.whole(version.comment)

    @display(description="reasons chosen")
    def chosen(self, version):
        return looks.listed(version.reasons)

    @display(description="wants to be contacted")
    def wish(self, version):
        return looks.whole(version.contact_wish)

    @display(description="why")
    def why(self, version):
        return looks.listed(Sign(sign).label for sign in version.signs)


class VerdictForm(forms.Form):
    verdict = forms.ChoiceField(
        label="Given by", choices=Response.Verdict.choices, widget=UnfoldAdminSelectWidget
    )
    reason = forms.CharField(
        max_length=200,
        widget=UnfoldAdminTextInputWidget,
        help_text="Such as “asked the customer” or “all links clicked within a second”.",
    )


@admin.register(Response)
class ResponseAdmin(ReadOnly, Admin):
    """Answers are evidence; the one thing to decide about them is whether a person gave them."""

    list_display = ("who", "score_and_band", "words", "survey", "product", "segment",
                    "given_by", "answered_at")  # fmt: skip
    list_display_links = ("who",)
    list_filter = (
        values_filter("survey", "survey", label="survey__name"),
        choices_filter("band", "band", Band.choices),
        values_filter("product or touchpoint", "product"),
        values_filter("segment", "segment"),
        choices_filter("given by", "verdict", Response.Verdict.choices),
        choices_filter("source", "source", Response.Source.choices),
        values_filter("open link", "open_answer__link", label="open_answer__link__name"),
    )
    list_select_related = ("customer__account", "survey", "open_answer__link")
    search_fields = ("customer__name", "customer__account__name", "comment")
    search_help_text = "Customer, account or comment"
    inlines = (VersionInline,)
    change_form_outer_after_template = "admin/surveys/verdict.html"
    fields = (("who", "score_and_band"), "whole_comment", ("reasons_chosen", "contact_wish"),
              ("survey", "product"), ("segment", "language"), ("answered_at", "finished_at"),
              ("source", "verdict"), "why_a_machine", "visits")  # fmt: skip
    readonly_fields = ("who", "score_and_band", "whole_comment", "reasons_chosen", "contact_wish",
                       "why_a_machine", "visits")  # fmt: skip

    def get_urls(self):
        view = self.admin_site.admin_view(self.overrule)
        name = "surveys_response_overrule"
        return [path("<int:pk>/overrule/", view, name=name), *super().get_urls()]

    def change_view(self, request, object_id, form_url="", extra_context=None):
        context = dict(extra_context or {})
        if request.user.has_perm("surveys.change_response"):
            context.setdefault("verdict_form", VerdictForm())
            context["overrule_link"] = reverse("admin:surveys_response_overrule", args=[object_id])
        return super().change_view(request, object_id, form_url, context)

    def overrule(self, request, pk: int):
        response = self.get_queryset(request).filter(pk=pk).first()
        if response is None:
            raise Http404("There is no such answer, or it is not yours to see.")
        if not request.user.has_perm("surveys.change_response"):
            raise PermissionDenied
        if request.method == "POST":
            form = VerdictForm(request.POST)
            if not form.is_valid():
                messages.error(request, "Say who gave the answer, and how you know.")
            else:
                data = form.cleaned_data
                now = timezone.now()
                answer.overrule(response, data["verdict"], request.user, data["reason"], now)
                messages.success(request, "The verdict is recorded, and the task follows it.")
        return redirect("admin:surveys_response_change", pk)

    @display(description="customer", ordering="customer__name")
    def who(self, response):
        if open_answer := getattr(response, "open_answer", None):
            return looks.two_lines(response.get_source_display(), open_answer.link)
        if response.customer is None:
            return response.get_source_display()
        return looks.two_lines(response.customer, response.customer.account or looks.NO_ACCOUNT)

    @display(description="score", ordering="score")
    def score_and_band(self, response):
        return looks.score(response)

    @display(description="given by", ordering="verdict")
    def given_by(self, response):
        signs = "; ".join(Sign(sign).label for sign in response.signs)
        verdict = response.get_verdict_display()
        return looks.two_lines(verdict, signs) if signs else verdict

    @display(description="why we think so")
    def why_a_machine(self, response):
        return looks.listed(Sign(sign).label for sign in response.signs)

    @display(description="visits, for 30 days")
    def visits(self, response):
        if response.invitation_id is None:
            return looks.NOTHING
        latest = Visit.objects.filter(invitation=response.invitation_id).order_by("-at")
        return looks.listed(map(_said, latest[:MOST_VISITS]))

    @display(description="reasons chosen")
    def reasons_chosen(self, response):
        return looks.listed(reason.key for reason in response.reasons.all())

    @display(description="wants to be contacted")
    def contact_wish(self, response):
        return response.contact_wish or looks.NOTHING

    @display(description="comment")
    def words(self, response):
        return looks.first_words(response.comment)

    @display(description="comment")
    def whole_comment(self, response):
        return looks.whole(response.comment)


def _said(visit: Visit) -> str:
    at = date_format(localtime(visit.at), "Y-m-d H:i:s")
    score = "" if visit.score is None else f" with score {visit.score}"
    agent = visit.agent or "a browser without a name"
    return f"{at}: {visit.get_what_display()}{score}. From {visit.client[:6]}, {agent}"
