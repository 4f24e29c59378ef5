"""What we have read in the comments: themes, which comment mentions which, and the fitted model."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from analysis import rollups as rollups  # Django finds models by this module alone
from surveys.models import Response, Survey


class Themes(models.QuerySet["Theme"]):
    def living(self) -> Themes:
        return self.filter(retired_at=None)


class Theme(models.Model):
    """A root cause that many comments of one survey share. It keeps its id and its label from one
    fit of the model to the next, so that months can be compared."""

    survey = models.ForeignKey(Survey, on_delete=models.CASCADE, related_name="themes")
    label = models.CharField(max_length=120)
    keywords = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    born_at = models.DateTimeField(editable=False)
    retired_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = Themes.as_manager()

    class Meta:
        ordering = ["label"]
        permissions = [("view_report", "Can read the reports")]
        constraints = [
            models.UniqueConstraint(  # two cards of one name would be one theme to every reader
                fields=["survey", "label"],
                name="theme_label_once_per_survey",
                condition=Q(retired_at=None),
                violation_error_message="Another theme of this survey has this label already.",
            )
        ]

    def __str__(self) -> str:
        return self.label


class Reading(models.Model):
    """That the themes' model has read a comment, and in which words."""

    response = models.OneToOneField(
        Response, primary_key=True, on_delete=models.CASCADE, related_name="reading"
    )
    digest = models.CharField(max_length=32)  # MD5 of the comment: a corrected one is read again
    says_nothing = models.BooleanField()  # such as "n/a": it can have no theme

    def __str__(self) -> str:
        return f"Reading of answer {self.response_id}"


class Mention(models.Model):
    """One comment raises one theme; a comment may raise several, one of them is the main one."""

    theme = models.ForeignKey(Theme, on_delete=models.CASCADE, related_name="mentions")
    response = models.ForeignKey(Response, on_delete=models.CASCADE, related_name="mentions")
    confidence = models.FloatField()  # 0..1
    is_main = models.BooleanField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["response", "theme"], name="mention_once_per_theme"),
            models.UniqueConstraint(
                fields=["response"], name="mention_one_main_theme", condition=Q(is_main=True)
            ),
            models.CheckConstraint(
                name="mention_confidence_is_a_share",
                condition=Q(confidence__gte=0, confidence__lte=1),
            ),
        ]

    def __str__(self) -> str:
        return f"Answer {self.response_id} raises theme {self.theme_id}"


class ThemeState(models.Model):
    """The fitted model of a survey, as JSON and arrays without pickle, and the themes it knows."""

    survey = models.OneToOneField(
        Survey, primary_key=True, on_delete=models.CASCADE, related_name="theme_state"
    )
    state = models.JSONField()
    arrays = models.BinaryField()  # npz
    theme_ids = ArrayField(models.BigIntegerField())  # in the order of the model's label numbers
    comments = models.PositiveIntegerField()  # how many it was fitted on
    fitted_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"Themes of {self.survey_id}, fitted {self.fitted_at:%Y-%m-%d}"
