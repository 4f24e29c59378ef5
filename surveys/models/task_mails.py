"""What colleagues write to the customer of a task, and the templates that they begin with."""

from __future__ import annotations

import re

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q

from surveys.models.contacts import Contact
from surveys.models.outbox import Message
from surveys.models.outreach import OutreachTask
from surveys.models.staff import User

SUBJECT_LENGTH, TEXT_LENGTH = 150, 5_000
PLACEHOLDERS = ("name", "company", "product", "answered", "sender")
IN_BRACES = re.compile(r"\{(\w*)\}")


class MailTemplate(models.Model):
    """The beginning of a mail, in one language. What is in braces is filled in when it is chosen;
    nothing is evaluated, and what a colleague then types stays as typed."""

    name = models.CharField(max_length=60, help_text="The same in every language.")
    language = models.CharField(max_length=10, choices=settings.LANGUAGES, default="en")
    subject = models.CharField(max_length=SUBJECT_LENGTH)
    text = models.TextField(
        max_length=TEXT_LENGTH,
        help_text="Filled in for each customer: {name}, {company}, {product}, {answered} (the day "
        "of their answer) and {sender} (who writes).",
    )
    is_active = models.BooleanField("offered", default=True)

    class Meta:
        ordering = ["name", "language"]
        constraints = [
            models.UniqueConstraint(
                fields=["name", "language"], name="mail_template_once_per_language"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name}, {self.get_language_display()}"

    def clean(self) -> None:
        """Raises ValidationError for what is in braces and means nothing."""
        for field in ("subject", "text"):
            unknown = set(IN_BRACES.findall(getattr(self, field))) - set(PLACEHOLDERS)
            if unknown:
                known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
                said = f"“{{{min(unknown)}}}” means nothing here. There are {known}."
                raise ValidationError({field: said})

    def filled(self, values: dict[str, str]) -> tuple[str, str]:
        """Subject and text; `values` has a text for each of PLACEHOLDERS."""
        return _fill(self.subject, values), _fill(self.text, values)


def unfilled(text: str) -> str:
    """The first placeholder that nobody has filled in, such as “{name}”; empty: there is none."""
    found = (each[0] for each in IN_BRACES.finditer(text) if each[1] in PLACEHOLDERS)
    return next(found, "")


def _fill(text: str, values: dict[str, str]) -> str:
    if not values["name"]:
        text = text.replace(" {name}", "")  # “Hello,” to somebody whose name we do not know
    return IN_BRACES.sub(lambda found: values.get(found[1], found[0]), text)


class TaskMail(models.Model):
    """One mail to the customer of a task, as it was written; `message` says what became of it.
    `contact` is its trace among the attempts, once the server has taken it."""

    task = models.ForeignKey(OutreachTask, on_delete=models.CASCADE, related_name="mails")
    message = models.OneToOneField(Message, on_delete=models.CASCADE, related_name="task_mail")
    user = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="task_mails")
    subject = models.CharField(max_length=SUBJECT_LENGTH)
    text = models.TextField(max_length=TEXT_LENGTH)
    written_at = models.DateTimeField()
    contact = models.OneToOneField(
        Contact, null=True, on_delete=models.SET_NULL, related_name="mail"
    )

    class Meta:
        ordering = ["-written_at"]
        indexes = [
            models.Index(  # the sweep that logs what was sent
                F("written_at"), name="task_mails_to_log", condition=Q(contact=None)
            )
        ]

    def __str__(self) -> str:
        return self.subject
