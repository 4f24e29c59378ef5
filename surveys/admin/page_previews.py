"""The pages that customers would see of a survey, each as one HTML text for a frame."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone, translation

import surveys
from surveys.models import BANDS, Band, Response, Survey, Wording
from surveys.models.brand import css_variables
from surveys.pages.about import about
from surveys.pages.forms import MoreForm

SCORES = "answer"
PAGES = (
    {SCORES: "Page with the scores"}
    | {f"more-{band.value}": f"Page after a {band.value}'s score" for band in Band}
    | {f"thanks-{band.value}": f"Thanks to a {band.value}" for band in Band}
)
SHEET = Path(surveys.__file__).parent / "static" / "surveys" / "customer.css"
DARK = "(prefers-color-scheme: dark)"  # a sandboxed frame would follow the system, not the choice
BOTH = "color-scheme: light dark"
LINKED_SHEET = re.compile(r'<link rel="stylesheet"[^>]*>')


def page_html(survey: Survey, wording: Wording, page: str, chosen: int | None = None) -> str:
    """One of PAGES as a made-up customer would see it. None of its buttons does anything."""
    name, _, band = page.partition("-")
    words = wording.filled(name="Ada Example", company=settings.COMPANY, product=survey.product)
    context = {
        "survey": survey,
        "brand": survey.brand,
        "words": words,
        "company": settings.COMPANY,
        "is_preview": True,
        "scale": survey.scale,
        "chosen": chosen,
        **about(timezone.now()),
        **(_after_score(survey, wording, band) if band else {}),
        "thanks": words.thanks_for(band),
        "question": words.open_question(band),
    }
    with translation.override(wording.language):
        return render_to_string(f"surveys/pages/{name}.html", context)


def framed(html: str, survey: Survey) -> str:
    """The page with its style sheets in it, for a frame that chooses its own colours."""
    colours = survey.brand.colours if survey.brand else None
    sheet = SHEET.read_text("utf-8") + (css_variables(colours) if colours else "")
    head, body = LINKED_SHEET.sub("", html).split("</head>", 1)
    return f"{head}<style>{sheet}</style></head>{body}"


def in_colours(html: str, colours: str) -> str:
    """The same in `light` or `dark`, whatever the reader's own system prefers."""
    condition = "all" if colours == "dark" else "not all"
    return html.replace(DARK, condition).replace(BOTH, f"color-scheme: {colours}")


def _after_score(survey: Survey, wording: Wording, band: str) -> dict[str, Any]:
    given = Response(survey=survey, score=max(BANDS[survey.kind][band]), band=band)
    return {"given": given, "form": MoreForm.of(wording.choices, given), "correctable": True}
