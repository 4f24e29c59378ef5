"""The body of an invitation, in HTML and in text, from one set of words."""

from __future__ import annotations

from functools import lru_cache
from html import escape
from typing import Protocol

import mrml
from django.template.loader import render_to_string

from surveys.models import Survey, Words

PLACEHOLDER = "%%{}%%"  # survives MJML and HTML escaping untouched, and is filled per recipient
NO_FOREIGN_FONTS = mrml.RenderOptions(fonts={})  # it would fetch “Roboto” from another company
FIELDS = ("subject", "greeting", "intro", "question", "low_label", "high_label", "comment_label")


class Links(Protocol):
    """Where the links of one invitation lead."""

    unsubscribe: str

    def score(self, score: int) -> str:
        """The answer page with this score chosen."""


def invitation_html(survey: Survey, words: Words, links: Links, sender: str) -> str:
    """Score buttons as real links, which work with images off, in Outlook and in dark mode."""
    filled = {field: escape(getattr(words, field)) for field in FIELDS}
    filled |= {f"score_{score}": escape(links.score(score)) for score in survey.scale}
    filled |= {"unsubscribe": escape(links.unsubscribe), "sender": escape(sender)}
    html = _compiled(survey.scale, words.language, bool(words.intro))
    for field, value in filled.items():
        html = html.replace(PLACEHOLDER.format(field), value)
    return html


def invitation_text(survey: Survey, words: Words, links: Links, sender: str) -> str:
    scores = [(score, links.score(score)) for score in survey.scale]
    context = {"words": words, "scores": scores, "links": links, "sender": sender}
    return render_to_string("surveys/emails/invitation.txt", context)


@lru_cache(maxsize=256)
def _compiled(scale: range, language: str, has_intro: bool) -> str:
    """MJML is compiled once for a scale and a language, not once for each recipient."""
    context = {
        "language": language,
        "direction": "rtl" if language.split("-")[0] in {"ar", "he", "fa", "ur"} else "ltr",
        "scores": [(score, PLACEHOLDER.format(f"score_{score}")) for score in scale],
        "has_intro": has_intro,
        "low": scale[0],
        "high": scale[-1],
        "width": round(100 / len(scale), 3),
    }
    context |= {field: PLACEHOLDER.format(field) for field in (*FIELDS, "unsubscribe", "sender")}
    mjml = render_to_string("surveys/emails/invitation.mjml", context)
    return mrml.to_html(mjml, render_options=NO_FOREIGN_FONTS).content
