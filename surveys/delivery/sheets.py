"""The mails to customers, in HTML and in text from one set of words; compiled once per set."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import lru_cache
from html import escape
from itertools import chain
from typing import Any, NamedTuple

import mrml
from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext

from surveys.delivery.compiled import Form, Pieces, Place, Values, cut, mark, said
from surveys.models import Reminder, Survey, Words
from surveys.models.wording import cut as cut_words

# Names of templates
INVITATION, HEADS_UP, CONFIRMATION = "invitation", "heads_up", "confirmation"
NO_FOREIGN_FONTS = mrml.RenderOptions(fonts={})  # it would fetch “Roboto” from another company
RIGHT_TO_LEFT = {"ar", "fa", "he", "ur"}
TEXTS = [field.name for field in fields(Words) if field.name != "language"]
RECIPIENT = ["answer", "unsubscribe", "privacy"]


class Look(NamedTuple):
    """What a brand changes: the logo's whole address, and the colours of text and lines that lead
    to an answer, in light and in dark. No address differs from recipient to recipient."""

    is_branded: bool = False
    logo: str = ""
    ink: str = "#1c2430"
    line: str = "#6b7785"
    dark_ink: str = "#e9edf1"
    dark_line: str = "#8d99a6"


@dataclass(frozen=True)
class Sheet:
    """One mail in one language, to be filled in for each recipient."""

    subject_pieces: Pieces
    text: Pieces
    html: Pieces
    form: Form

    def subject(self, values: Values) -> str:
        return said(self.subject_pieces, values)


def words_of(survey: Survey, language: str, reminder: Reminder | None = None) -> Words:
    """The survey's words, or those of that reminder, with their placeholders still in them.

    Raises NoWording.
    """
    if reminder:
        return reminder_words_of(survey, language, reminder)
    wording = survey.wording_for(language)
    return Words(**{field.name: getattr(wording, field.name) for field in fields(Words)})


def reminder_words_of(survey: Survey, language: str, reminder: Reminder | None) -> Words:
    """Opened by the reminder's own words where it has some in the same language; else, and for one
    that a person sent by hand, the survey's, after a sentence that says that it is a reminder."""
    words = words_of(survey, language)
    for text in reminder.texts.all() if reminder else ():
        if text.language == words.language:
            return replace(words, subject=text.subject, intro=text.intro)
    with translation.override(words.language):
        opening = gettext("A short reminder, as we have not heard from you yet.")
    return replace(words, intro=f"{opening}\n\n{words.intro}".rstrip())


def sender_of(survey: Survey) -> str:
    return survey.sender_name or settings.COMPANY


def look_of(survey: Survey) -> Look:
    brand = survey.brand
    if brand is None:
        return Look()
    logo = settings.SITE_URL + brand.logo_url if brand.logo_url else ""
    if brand.colours is None:
        return Look(logo=logo)
    light, dark = brand.colours
    return Look(True, logo, light, light, dark, dark)


def survey_sheet(survey: Survey, words: Words, *, named: bool) -> Sheet:
    """The sheet of these very words: words that were edited have another one."""
    return _sheet_of(INVITATION, survey, words, sender_of(survey), named)


def heads_up_sheet(survey: Survey, words: Words, sender: str, *, named: bool) -> Sheet:
    return _sheet_of(HEADS_UP, survey, words, sender, named)


def confirmation_sheet(survey: Survey, words: Words, sender: str, *, named: bool) -> Sheet:
    return _sheet_of(CONFIRMATION, survey, words, sender, named)


def _sheet_of(name: str, survey: Survey, words: Words, sender: str, named: bool) -> Sheet:
    return _sheet(name, words, survey.scale, look_of(survey), settings.COMPANY, sender, named)


@lru_cache(maxsize=512)
def _sheet(
    name: str, words: Words, scale: range, look: Look, company: str, sender: str, named: bool
) -> Sheet:
    texts = {field: _pieces(getattr(words, field), company, named) for field in TEXTS}
    texts |= {"sender": [sender], "company": [company]}
    marked_up = {field: [_markup(piece) for piece in pieces] for field, pieces in texts.items()}
    subject, text, html = _templates(name, words.language, scale, look, bool(words.intro))
    text_pieces, html_pieces = cut(text, texts), cut(html, marked_up)
    return Sheet(cut(subject, texts), text_pieces, html_pieces, Form(text_pieces, html_pieces))


def _pieces(text: str, company: str, named: bool) -> Pieces:
    parts = cut_words(text, named=named)
    names = [company if name == "company" else Place(name) for name in parts[1::2]]
    return [*chain.from_iterable(zip(parts[::2], names, strict=False)), parts[-1]]


def _markup(piece: str | Place) -> str | Place:
    return piece if isinstance(piece, Place) else escape(piece).replace("\n", "<br>")


@lru_cache(maxsize=256)
def _templates(
    name: str, language: str, scale: range, look: Look, has_intro: bool
) -> tuple[str, str, str]:
    """Subject, text and HTML with a mark for each field. MJML is compiled here, and only here."""
    answer = mark("answer")
    marked = (*TEXTS, *RECIPIENT, "sender", "company")
    context: dict[str, Any] = {field: mark(field) for field in marked}
    context |= {
        "language": language,
        "direction": "rtl" if language.split("-")[0] in RIGHT_TO_LEFT else "ltr",
        "scores": [(score, f"{answer}?score={score}") for score in scale],
        "hidden": f"{answer}/all",  # for machines that follow every link
        "look": look,
        "has_intro": has_intro,
        "low": scale[0],
        "high": scale[-1],
    }
    subject, text, mjml = (
        render_to_string(f"surveys/emails/{name}.{kind}", context)
        for kind in ("subject", "txt", "mjml")
    )
    html = mrml.to_html(mjml, render_options=NO_FOREIGN_FONTS).content
    return subject.strip(), text, html
