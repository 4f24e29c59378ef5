"""In which words we ask."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields

from django.conf import settings
from django.db import models

from surveys.models.surveys import Survey

PLACEHOLDERS = re.compile(r"\{(name|company|product)\}")


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
    comment_label = models.CharField("the open question", max_length=160)
    thanks = models.TextField(max_length=400)

    class Meta:
        ordering = ["language"]
        constraints = [
            models.UniqueConstraint(fields=["survey", "language"], name="wording_once_per_language")
        ]

    def __str__(self) -> str:
        return f"{self.survey}, {self.get_language_display()}"

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
    thanks: str


def cut(text: str, *, named: bool) -> list[str]:
    """Texts and the names of placeholders in turn, beginning and ending with a text."""
    if not named:
        text = text.replace(" {name}", "")  # “Hello,” to somebody whose name we do not know
    return PLACEHOLDERS.split(text)


def _fill(text: str, values: dict[str, str]) -> str:
    parts = cut(text, named=bool(values["name"]))
    parts[1::2] = [values[name] for name in parts[1::2]]
    return "".join(parts)
