"""The survey as a mail, in HTML and in text, from one set of words; compiled once per set."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import lru_cache
from html import escape
from itertools import chain

import mrml
from django.conf import settings
from django.template.loader import render_to_string

from surveys.delivery.compiled import Form, Pieces, Place, cut, mark
from surveys.models import Survey, Wording, Words
from surveys.models.wording import cut as cut_words

NO_FOREIGN_FONTS = mrml.RenderOptions(fonts={})  # it would fetch “Roboto” from another company
RIGHT_TO_LEFT = {"ar", "fa", "he", "ur"}
OF_THE_RECIPIENT = ("answer", "unsubscribe")


@dataclass(frozen=True)
class Sheet:
    """One kind of mail in one language, to be filled in for each recipient."""

    subject: Pieces
    html: Pieces
    form: Form


def raw(wording: Wording) -> Words:
    """The words with their placeholders unfilled, as the key by which a sheet is found again."""
    return Words(**{field.name: getattr(wording, field.name) for field in fields(Words)})


def invitation_sheet(survey: Survey, words: Words, *, named: bool) -> Sheet:
    """The sheet of these very words: words that were edited have another one."""
    company = settings.COMPANY
    return _sheet(words, survey.scale, company, survey.sender_name or company, named)


@lru_cache(maxsize=512)
def _sheet(words: Words, scale: range, company: str, sender: str, named: bool) -> Sheet:
    texts = {
        field.name: _pieces(getattr(words, field.name), company, named)
        for field in fields(words)
        if field.name != "language"
    }
    texts["sender"] = [sender]
    html = {name: [_markup(piece) for piece in pieces] for name, pieces in texts.items()}
    text_template = _text_template(scale, words.language, bool(words.intro))
    html_template = _html_template(scale, words.language, bool(words.intro))
    marked_up = cut(html_template, html)
    return Sheet(texts["subject"], marked_up, Form(cut(text_template, texts), marked_up))


def _pieces(text: str, company: str, named: bool) -> Pieces:
    parts = cut_words(text, named=named)
    names = [company if name == "company" else Place(name) for name in parts[1::2]]
    return [*chain.from_iterable(zip(parts[::2], names, strict=False)), parts[-1]]


def _markup(piece: str | Place) -> str | Place:
    return piece if isinstance(piece, Place) else escape(piece).replace("\n", "<br>")


@lru_cache(maxsize=256)
def _html_template(scale: range, language: str, has_intro: bool) -> str:
    """MJML is compiled once for a scale and a language."""
    context = _context(scale, language, has_intro)
    mjml = render_to_string("surveys/emails/invitation.mjml", context)
    return mrml.to_html(mjml, render_options=NO_FOREIGN_FONTS).content


@lru_cache(maxsize=256)
def _text_template(scale: range, language: str, has_intro: bool) -> str:
    context = _context(scale, language, has_intro)
    return render_to_string("surveys/emails/invitation.txt", context)


def _context(scale: range, language: str, has_intro: bool) -> dict:
    answer = mark("answer")
    marked = [field.name for field in fields(Words) if field.name != "language"]
    return {name: mark(name) for name in (*marked, *OF_THE_RECIPIENT, "sender")} | {
        "language": language,
        "direction": "rtl" if language.split("-")[0] in RIGHT_TO_LEFT else "ltr",
        "scores": [(score, f"{answer}?score={score}") for score in scale],
        "has_intro": has_intro,
        "low": scale[0],
        "high": scale[-1],
    }
