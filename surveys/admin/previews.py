"""What customers would get: each mail and page of a survey in each language and width."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone

from surveys.admin.page_previews import PAGES, SCORES, framed, in_colours, page_html
from surveys.delivery import emails
from surveys.loop import rehearse
from surveys.models import NoWording, Reminder, Survey

WIDTHS = {"320": "Phone", "600": "Tablet", "1200": "Desktop"}  # pixels
COLOURS = {"light": "Light", "dark": "Dark"}
INVITATION, HEADS_UP = "invitation", "heads-up"


class Choice(NamedTuple):
    """A link to the same preview with one thing different."""

    label: str
    query: str
    is_chosen: bool


class Choices:
    """What of a survey is looked at, as its address says; what it does not say is the default."""

    def __init__(self, survey: Survey, asked: dict):
        languages = [wording.language for wording in survey.wordings.all()]
        names = dict(settings.LANGUAGES)
        self.reminders = {f"reminder-{each.number}": each for each in survey.reminders.all()}
        self.offered = {
            "language": {language: names.get(language, language) for language in languages},
            "mail": {INVITATION: "Invitation"}
            | {name: f"Reminder {each.number}" for name, each in self.reminders.items()}
            | {HEADS_UP: "Announcement"}
            | PAGES,
            "width": WIDTHS,
            "colours": COLOURS,
        }
        defaults = {"language": survey.wording_for(survey.language).language,
                    "mail": INVITATION, "width": "600", "colours": "light"}  # fmt: skip
        self.chosen = {
            what: asked[what] if asked.get(what) in offered else defaults[what]
            for what, offered in self.offered.items()
        }

    @property
    def reminder(self) -> Reminder | None:
        return self.reminders.get(self.chosen["mail"])

    def links(self) -> dict[str, list[Choice]]:
        return {
            what: [
                Choice(label, urlencode(self.chosen | {what: value}), value == self.chosen[what])
                for value, label in offered.items()
            ]
            for what, offered in self.offered.items()
        }


class Previews:
    """The pages beside a survey's own: its mails, the page they lead to, a test by mail."""

    def get_urls(self):
        pages = [
            ("<int:pk>/mails/", self.mails, "mails"),
            ("<int:pk>/test/", self.test, "test"),
            ("<int:pk>/preview/<str:language>/", self.answer_page, "preview"),
        ]
        return [
            *(
                path(route, self.admin_site.admin_view(view), name=f"surveys_survey_{name}")
                for route, view, name in pages
            ),
            *super().get_urls(),
        ]

    def mails(self, request: HttpRequest, pk: int) -> HttpResponse:
        survey = self.get_survey(request, pk)
        try:
            choices = Choices(survey, request.GET)
        except NoWording as refusal:
            messages.error(request, str(refusal))
            return redirect("admin:surveys_survey_change", pk)
        shown = _shown(survey, choices)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Mails and pages of {survey}",
            "opts": self.opts,
            "survey": survey,
            "shown": shown,
            "html": in_colours(shown.html, choices.chosen["colours"]),
            "is_page": choices.chosen["mail"] in PAGES,
            "choices": choices.links(),
            "chosen": choices.chosen,
            "testable": choices.chosen["mail"] not in {HEADS_UP, *PAGES},
        }
        return TemplateResponse(request, "admin/surveys/survey_mails.html", context)

    def test(self, request: HttpRequest, pk: int) -> HttpResponse:
        survey = self.get_survey(request, pk, "surveys.change_survey")
        back = f"{reverse('admin:surveys_survey_mails', args=[pk])}?{request.GET.urlencode()}"
        if request.method == "POST":
            try:
                choices = Choices(survey, request.GET)
                language, reminder = choices.chosen["language"], choices.reminder
                rehearse.send_test(survey, language, request.user, timezone.now(), reminder)
                messages.success(request, f"A test is on its way to {request.user.email}.")
            except (NoWording, rehearse.TooSoon) as refusal:
                messages.error(request, str(refusal))
        return redirect(back)

    def answer_page(self, request: HttpRequest, pk: int, language: str) -> HttpResponse:
        """The page that the links in a test lead to; its button does nothing."""
        survey = self.get_survey(request, pk)
        wording = survey.wordings.filter(language=language).first()
        if wording is None:
            raise Http404("There are no words in this language.")
        clicked = request.GET.get("score", "")
        chosen = next((score for score in survey.scale if str(score) == clicked), None)
        return HttpResponse(page_html(survey, wording, SCORES, chosen))

    def get_survey(
        self, request: HttpRequest, pk: int, permission: str = "surveys.view_survey"
    ) -> Survey:
        """Raises Http404 for what is out of sight, PermissionDenied for who may not do this."""
        survey = self.get_queryset(request).filter(pk=pk).first()
        if survey is None:
            raise Http404("There is no such survey.")
        if not request.user.has_perm(permission):
            raise PermissionDenied
        return survey


def _shown(survey: Survey, choices: Choices) -> emails.Preview:
    language, what = choices.chosen["language"], choices.chosen["mail"]
    if what == HEADS_UP:
        return _from_here(emails.preview_of_heads_up(survey, language))
    if what in PAGES:
        html = page_html(survey, survey.wording_for(language), what)
        return emails.Preview(PAGES[what], "", framed(html, survey))
    return _from_here(emails.preview(survey, language, choices.reminder))


def _from_here(shown: emails.Preview) -> emails.Preview:
    """With the logo from whatever host this page was opened at: the frame fetches from no other."""
    return shown._replace(html=shown.html.replace(f'src="{settings.SITE_URL}/', 'src="/'))
