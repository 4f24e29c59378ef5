"""Where a customer lands from the mail: choose a score, add a comment, press the button."""

from __future__ import annotations

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from surveys.loop import answer as verb
from surveys.models import COMMENT_LENGTH, Invitation, Response, Words
from surveys.pages.public import gone, nonce, nonce_is_good, public_page


class AnswerForm(forms.Form):
    score = forms.TypedChoiceField(
        coerce=int,
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Please choose a score."),
            "invalid_choice": _("Please choose one of the scores."),
        },
    )
    comment = forms.CharField(required=False, max_length=COMMENT_LENGTH, widget=forms.Textarea)

    def __init__(self, scale: range, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["score"].choices = [(str(score), str(score)) for score in scale]


@public_page
@require_http_methods(["GET", "HEAD", "POST"])
def answer(request: HttpRequest, token: str) -> HttpResponse:
    invitation = _find(token)
    if invitation is None:
        return gone(request)
    with translation.override(invitation.language):
        given = Response.objects.filter(invitation=invitation).first()
        if given is None and _has_ended(invitation):
            return gone(request)
        page = Page(request, token, invitation, given)
        return page.take() if request.method == "POST" else page.show()


def _find(token: str) -> Invitation | None:
    asked = Invitation.objects.by_token(token).select_related("survey", "customer__account")
    return asked.first()


def _has_ended(invitation: Invitation) -> bool:
    return invitation.has_expired(timezone.now()) or not invitation.survey.is_open


class Page:
    """One visit: the form, or the thanks when there is an answer that is not to be changed."""

    def __init__(
        self, request: HttpRequest, token: str, invitation: Invitation, given: Response | None
    ):
        self.request, self.token, self.invitation, self.given = request, token, invitation, given
        self.survey = invitation.survey

    @property
    def words(self) -> Words:
        return self.survey.wording_for(self.invitation.language).filled(
            name=self.invitation.customer.name,
            company=settings.COMPANY,
            product=self.invitation.product,
        )

    def show(self) -> HttpResponse:
        if self.given and not (self.is_correction and self.is_correctable):
            return self._render("thanks", correctable=self.is_correctable)
        initial = {"score": self.request.GET.get("score", "")}
        if self.given:
            initial = {"score": str(self.given.score), "comment": self.given.comment}
        return self._form(AnswerForm(self.survey.scale, initial=initial))

    def take(self) -> HttpResponse:
        form = AnswerForm(self.survey.scale, self.request.POST)
        if not nonce_is_good(self.request.POST.get("nonce", ""), self.token):
            form.add_error(
                None, _("This page was open for too long. Please press the button again.")
            )
        if not form.is_valid():
            return self._form(form, status=422)
        said = form.cleaned_data["score"], form.cleaned_data["comment"], timezone.now()
        if self.given and self.is_correction and self.is_correctable:
            verb.correct(self.given, *said)
        else:
            verb.give(self.invitation, *said)
        return HttpResponseRedirect(self.request.path, status=303)

    @property
    def is_correction(self) -> bool:
        return "change" in self.request.GET

    @property
    def is_correctable(self) -> bool:
        return timezone.now() - self.given.answered_at <= verb.CORRECTABLE_FOR

    def _form(self, form: AnswerForm, status: int = 200) -> HttpResponse:
        context = {"form": form, "scale": self.survey.scale, "nonce": nonce(self.token)}
        return self._render("answer", status=status, **context)

    def _render(self, page: str, status: int = 200, **context) -> HttpResponse:
        context |= {"survey": self.survey, "words": self.words, "company": settings.COMPANY}
        return render(self.request, f"surveys/pages/{page}.html", context, status=status)
