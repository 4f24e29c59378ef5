"""Asking once more those who have not answered, in other words."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from surveys.models.surveys import Survey

MOST = 5


class Reminder(models.Model):
    """The first, second, ... fifth time; each has its own delay after the invitation, and text."""

    survey = models.ForeignKey(Survey, on_delete=models.CASCADE, related_name="reminders")
    number = models.PositiveSmallIntegerField(
        validators=[MinValueValidator(1), MaxValueValidator(MOST)]
    )
    after_days = models.PositiveSmallIntegerField(
        default=5,
        validators=[MinValueValidator(1), MaxValueValidator(90)],
        help_text="Days after the invitation was sent.",
    )

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["survey", "number"], name="reminder_number_once"),
            models.CheckConstraint(
                name="reminders_are_one_to_five", condition=Q(number__gte=1, number__lte=MOST)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.survey}, reminder {self.number}"


class ReminderText(models.Model):
    """A reminder in one language; without one, it says that it is one, in the survey's words."""

    reminder = models.ForeignKey(Reminder, on_delete=models.CASCADE, related_name="texts")
    language = models.CharField(max_length=10, choices=settings.LANGUAGES, default="en")
    subject = models.CharField(max_length=120)
    intro = models.TextField(max_length=600, blank=True)

    class Meta:
        ordering = ["language"]
        constraints = [
            models.UniqueConstraint(
                fields=["reminder", "language"], name="reminder_text_once_per_language"
            )
        ]

    def __str__(self) -> str:
        return f"{self.reminder}, {self.get_language_display()}"
