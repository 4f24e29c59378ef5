"""In which words we ask."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.text import slugify

from surveys.models.surveys import Survey

PLACEHOLDERS = re.compile(r"\{(name|company|product)\}")
MOST_REASONS = 10
KEY_LENGTH, REASON_LENGTH = 40, 60
KEY = re.compile(rf"[a-z0-9-]{{1,{KEY_LENGTH}}}")


class Wording(models.Model):
    """A survey's words in one language. `{name}`, `{company}` and `{product}` are filled in."""

    survey = models.ForeignKey(Survey, on_delete=models.CASCADE, related_name="wordings")
    language = models.CharField(max_length=10, choices=settings.LANGUAGES, default="en")
    subject = models.CharField(max_length=120)
    greeting = models.CharField(max_length=120, default="Hello {name},")
    intro = models.TextField(max_length=600, blank=True)
    question = models.CharField(max_length=200)
    low_label = models.CharField("label of the lowest score", max_length=40)
    high_label = models.CharField("label of the highest score", max_length=40)
    comment_label = models.CharField(
        "the open question",
        max_length=160,
        help_text="Asked after the score, unless there is one below for this kind of answer.",
    )
    promoter_question = models.CharField("to promoters", max_length=160, blank=True)
    passive_question = models.CharField("to passives", max_length=160, blank=True)
    detractor_question = models.CharField("to detractors", max_length=160, blank=True)
    reasons = models.TextField(
        "reasons to choose from",
        max_length=1_000,
        blank=True,
        help_text=f"Up to {MOST_REASONS}, one on each line, as “price: The price”. What stands "
        "before the colon is the same in every language, and is what is counted. Empty: none are "
        "offered.",
    )
    thanks = models.TextField(
        max_length=400,
        help_text="Shown at the end, unless there is one below for this kind of answer.",
    )
    promoter_thanks = models.TextField("to promoters", max_length=400, blank=True)
    passive_thanks = models.TextField("to passives", max_length=400, blank=True)
    detractor_thanks = models.TextField("to detractors", max_length=400, blank=True)

    class Meta:
        ordering = ["language"]
        constraints = [
            models.UniqueConstraint(fields=["survey", "language"], name="wording_once_per_language")
        ]

    def __str__(self) -> str:
        return f"{self.survey}, {self.get_language_display()}"

    def clean(self) -> None:
        """Every reason gets a key; a label in Latin letters is turned into one."""
        try:
            choices = choices_of(self.reasons)
        except ValueError as refusal:
            raise ValidationError({"reasons": str(refusal)}) from refusal
        self.reasons = "\n".join(f"{key}: {label}" for key, label in choices)

    @property
    def choices(self) -> list[tuple[str, str]]:
        """The reasons that this wording offers, as (key, label)."""
        return choices_of(self.reasons)

    def filled(self, *, name: str, company: str, product: str) -> Words:
        """The words for one customer. Anything in braces but the three allowed names stays as
        typed; nothing is evaluated, whatever a customer is called."""
        values = {"name": name, "company": company, "product": product or company}
        texts = {
            field.name: _fill(getattr(self, field.name), values)
            for field in fields(Words)
            if field.name != "language"
        }
        return Words(language=self.language, **texts)


@dataclass(frozen=True)
class Words:
    """A wording with its placeholders filled in, for one customer."""

    language: str
    subject: str
    greeting: str
    intro: str
    question: str
    low_label: str
    high_label: str
    comment_label: str
    promoter_question: str
    passive_question: str
    detractor_question: str
    thanks: str
    promoter_thanks: str
    passive_thanks: str
    detractor_thanks: str

    def open_question(self, band: str) -> str:
        """What we ask after the score; `band` is one of Band, or empty before there is a score."""
        return getattr(self, f"{band}_question", "") or self.comment_label

    def thanks_for(self, band: str) -> str:
        return getattr(self, f"{band}_thanks", "") or self.thanks


def choices_of(text: str) -> list[tuple[str, str]]:
    """Keys and labels of reasons that are written one on each line, as “price: The price”.

    A line without a key is given one. Raises ValueError, saying which line is wrong.
    """
    choices = [_choice(line.strip()) for line in text.splitlines() if line.strip()]
    keys = [key for key, _ in choices]
    if twice := [key for key in keys if keys.count(key) > 1]:
        raise ValueError(f"“{twice[0]}” is there twice. Give each reason a key of its own.")
    if len(choices) > MOST_REASONS:
        raise ValueError(f"There are {len(choices)} reasons; up to {MOST_REASONS} can be offered.")
    return choices


def _choice(line: str) -> tuple[str, str]:
    before, colon, after = (part.strip() for part in line.partition(":"))
    key, label = (before.lower(), after) if colon else (slugify(line)[:KEY_LENGTH], line)
    if not KEY.fullmatch(key) or not label:
        raise ValueError(
            f"“{line}”: write a key of small letters, digits and hyphens, a colon, and the words "
            "to show, as in “price: The price”."
        )
    if len(label) > REASON_LENGTH:
        raise ValueError(f"“{label}” is longer than {REASON_LENGTH} letters. Shorten it.")
    return key, label


def cut(text: str, *, named: bool) -> list[str]:
    """Texts and the names of placeholders in turn, beginning and ending with a text."""
    if not named:
        text = text.replace(" {name}", "")  # “Hello,” to somebody whose name we do not know
    return PLACEHOLDERS.split(text)


def _fill(text: str, values: dict[str, str]) -> str:
    parts = cut(text, named=bool(values["name"]))
    parts[1::2] = [values[name] for name in parts[1::2]]
    return "".join(parts)
