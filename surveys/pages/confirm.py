"""Did somebody get back to you, and did it help? The page behind the mail a day after a closing."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from surveys.loop import confirm as verb
from surveys.models import Confirmation, GotBack, Helped, OutreachTask
from surveys.models.confirmations import WORDS_LENGTH
from surveys.pages import nonces
from surveys.pages.about import about
from surveys.pages.guest import Guest
from surveys.pages.public import gone, public_page, unknown

ABOUT = ("customer", "response__invitation", "response__survey__brand")


class WordForm(forms.Form):
    got_back = forms.ChoiceField(
        choices=GotBack.choices, error_messages={"required": _("Please say yes or no.")}
    )
    helped = forms.ChoiceField(choices=Helped.choices, required=False)
    comment = forms.CharField(max_length=WORDS_LENGTH, required=False)

    def as_sent(self) -> list[tuple[str, str]]:
        return [(name, self.cleaned_data[name]) for name in self.fields]


@public_page
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    found = Confirmation.objects.by_token(token)
    question = found.select_related(*(f"task__{name}" for name in ABOUT)).first()
    if question is None:
        return unknown(request)
    with translation.override(question.task.response.invitation.language):
        page = Page(Guest(request, token), question)
        return page.take() if request.method == "POST" else page.show()


class Page:
    """What one guest sees of the question."""

    def __init__(self, guest: Guest, question: Confirmation):
        self.guest, self.question = guest, question
        self.asked = question.task.response.invitation
        guest.meet(self.asked)

    def show(self) -> HttpResponse:
        self.guest.note_look(self.asked)
        if self.question.answered_at:
            return self._thanks(self.question)
        if self.question.has_expired(self.guest.now):
            return gone(self.guest.request)
        chosen = self.guest.request.GET.get("got_back")
        return self._ask(WordForm(initial={"got_back": chosen}))

    def take(self) -> HttpResponse:
        nonce = self.guest.proof()
        if nonce is None:
            return self.show()
        form = WordForm(self.guest.request.POST)
        if not form.is_valid():
            return self._ask(form, status=422)
        signs = self.guest.signs(nonce)
        self.guest.note_press(self.asked, None, signs)
        if signs:
            return self._form("again", nonces.AGAIN, 200, sent=form.as_sent())
        try:
            return self._thanks(verb.answer(self.question, **form.cleaned_data, now=self.guest.now))
        except verb.CannotConfirm:
            return gone(self.guest.request)

    def _ask(self, form: WordForm, status: int = 200) -> HttpResponse:
        return self._form("confirm", nonces.FORM, status, form=form)

    def _form(self, page: str, form_name: str, status: int, **context: Any) -> HttpResponse:
        return self._render(page, status, **self.guest.nonces_for(form_name), **context)

    def _thanks(self, word: Confirmation) -> HttpResponse:
        task = OutreachTask.objects.only("state").get(pk=word.task_id)
        is_open_again = word.is_denial and task.state == OutreachTask.State.OPEN
        return self._render("confirmed", 200, is_open_again=is_open_again)

    def _render(self, page: str, status: int, **context: Any) -> HttpResponse:
        answered_at = self.question.task.response.answered_at
        context |= {
            "company": settings.COMPANY,
            "brand": self.asked.survey.brand,
            **about(answered_at, self.asked),
        }
        template = f"surveys/pages/{page}.html"
        return render(self.guest.request, template, context, status=status)
