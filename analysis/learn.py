"""Read: group a survey's comments into themes, and write down which comment raises which.

It loads scikit-learn, so only the worker and the commands import it, never the web process.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import numpy as np
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import MD5

from analysis import registry
from analysis.models import Mention, Reading, Theme, ThemeState
from analysis.months import Month
from analysis.quotes import without_names
from analysis.text.themes import ThemeModel
from surveys.models import Response, Survey

ENOUGH = 10  # comments; fewer make no themes
GROWTH = 1.5  # so many times the comments of the last fit call for a new one
BATCH = 5_000

log = logging.getLogger(__name__)


class TooFewComments(Exception):
    """The survey has fewer than ten comments: too few to find anything in common."""


@dataclass(frozen=True)
class Learnt:
    """What one run has done; `refitted` says whether the themes were found anew."""

    comments: int = 0  # read in this run
    themes: int = 0  # that the survey has now
    born: int = 0
    retired: int = 0
    say_nothing: int = 0  # of those read
    refitted: bool = False


class Comment(NamedTuple):
    response: int
    text: str  # redacted
    digest: str  # of the text as it was given


def learn_all(now: datetime, surveys: QuerySet[Survey] | None = None) -> dict[str, Learnt]:
    """Bring the themes of each survey up to date; one that fails is logged and stops no other."""
    done = {}
    for survey in Survey.objects.all() if surveys is None else surveys:
        try:
            done[survey.name] = learn(survey, now)
        except TooFewComments:
            log.info("survey %s has too few comments for themes", survey.pk)
        except Exception:
            log.exception("the themes of survey %s failed; the others go on", survey.pk)
    return done


def learn(survey: Survey, now: datetime) -> Learnt:
    """Fit anew in a new month or when the comments have grown by half; else read only what is new.

    Raises TooFewComments.
    """
    state = ThemeState.objects.filter(survey=survey).only("comments", "fitted_at").first()
    if state is None or Month.of(state.fitted_at) != Month.of(now):
        return refit(survey, now)
    if _comments(survey).count() > GROWTH * state.comments:
        return refit(survey, now)
    return assign_new(survey, now)


def refit(survey: Survey, now: datetime) -> Learnt:
    """Find the themes anew in all comments; those that are recognised keep id and label.

    Raises TooFewComments.
    """
    comments = _redacted(_comments(survey))
    if len(comments) < ENOUGH:
        raise TooFewComments(f"“{survey}” has {len(comments)} comments; themes need {ENOUGH}.")
    model = ThemeModel(exclude=_own_names())
    model.fit([comment.text for comment in comments], previous=_going_on(survey, len(comments)))
    with transaction.atomic():
        _lock(survey)
        before = set(Theme.objects.living().filter(survey=survey).values_list("pk", flat=True))
        main = {
            comment.response: int(label)
            for comment, label in zip(comments, model.labels_, strict=True)
            if label >= 0
        }
        tops = [theme for theme in model.themes_ if theme.parent is None]
        themes = registry.settle(survey, tops, main, now)
        _forget(Response.objects.filter(survey=survey))
        _write(comments, model.labels_, model.confidence_, [theme.pk for theme in themes])
        _store(survey, model, themes, len(comments), now)
    after = {theme.pk for theme in themes}
    return Learnt(
        comments=len(comments),
        themes=len(themes),
        born=len(after - before),
        retired=len(before - after),
        say_nothing=int((model.labels_ < 0).sum()),
        refitted=True,
    )


def assign_new(survey: Survey, now: datetime) -> Learnt:
    """Give the comments that are new, or were corrected since they were read, to the themes.

    It fits anew when there is no model that this version can read. Raises TooFewComments.
    """
    state = ThemeState.objects.filter(survey=survey).first()
    try:
        model = ThemeModel.from_state(state.state, bytes(state.arrays)) if state else None
    except ValueError:
        model = None
    if state is None or model is None:
        return refit(survey, now)
    comments = _redacted(_unread(survey))
    labels, confidence = model.assign([comment.text for comment in comments])
    with transaction.atomic():
        _lock(survey)
        if not ThemeState.objects.filter(survey=survey, fitted_at=state.fitted_at).exists():
            return Learnt()  # fitted anew meanwhile, by a run that has read these comments too
        _forget(Response.objects.filter(pk__in=[comment.response for comment in comments]))
        _forget(_not_to_be_read(survey))
        _write(comments, labels, confidence, state.theme_ids)
    say_nothing = int((labels < 0).sum())
    return Learnt(len(comments), len(state.theme_ids), say_nothing=say_nothing)


def _going_on(survey: Survey, comments: int) -> ThemeModel | None:
    """The last fit's model, whose themes stay; None when the comments have outgrown it by half."""
    state = ThemeState.objects.filter(survey=survey).first()
    if state is None or comments > GROWTH * state.comments:
        return None
    try:
        return ThemeModel.from_state(state.state, bytes(state.arrays))
    except ValueError:
        return None


def _comments(survey: Survey) -> QuerySet[Response]:
    """What is read: every comment that a person gave, with or without a score."""
    return Response.objects.counted().filter(survey=survey).exclude(comment="").order_by("pk")


def _unread(survey: Survey) -> QuerySet[Response]:
    comments = _comments(survey).annotate(digest=MD5("comment"))
    return comments.filter(Q(reading=None) | ~Q(reading__digest=F("digest")))


def _not_to_be_read(survey: Survey) -> QuerySet[Response]:
    """Read once, and since then emptied or found to be a machine's."""
    gone = Q(comment="") | Q(verdict=Response.Verdict.MACHINE)
    return Response.objects.filter(gone, survey=survey, reading__isnull=False)


def _redacted(responses: QuerySet[Response]) -> list[Comment]:
    rows = responses.annotate(md5=MD5("comment")).values_list(
        "pk", "comment", "md5", "customer__name", "customer__account__name"
    )
    return [
        Comment(pk, without_names(comment, *names), digest)
        for pk, comment, digest, *names in rows.iterator(BATCH)
    ]


def _own_names() -> list[str]:
    """Words that name ourselves and so name no cause."""
    return re.findall(r"\w{3,}", settings.COMPANY)


def _lock(survey: Survey) -> None:
    """One writer a survey; answers go on being taken (they hold a weaker lock)."""
    Survey.objects.select_for_update(no_key=True).get(pk=survey.pk)


def _forget(responses: QuerySet[Response]) -> None:
    Mention.objects.filter(response__in=responses.order_by().values("pk")).delete()
    Reading.objects.filter(response__in=responses.order_by().values("pk")).delete()


def _write(
    comments: Sequence[Comment],
    labels: np.ndarray,
    confidence: np.ndarray,
    theme_ids: Sequence[int],
) -> None:
    """`labels` are numbers into `theme_ids`, below 0 for a comment that says nothing."""
    rows = list(zip(comments, labels.tolist(), confidence.tolist(), strict=True))
    Reading.objects.bulk_create(
        [
            Reading(response_id=comment.response, digest=comment.digest, says_nothing=label < 0)
            for comment, label, _ in rows
        ],
        BATCH,
    )
    Mention.objects.bulk_create(
        [
            Mention(
                response_id=comment.response,
                theme_id=theme_ids[label],
                confidence=sure,
                is_main=True,
            )
            for comment, label, sure in rows
            if label >= 0
        ],
        BATCH,
    )


def _store(
    survey: Survey, model: ThemeModel, themes: Sequence[Theme], comments: int, now: datetime
) -> None:
    state, arrays = model.to_state()
    ThemeState.objects.update_or_create(
        survey=survey,
        defaults={
            "state": state,
            "arrays": arrays,
            "theme_ids": [theme.pk for theme in themes],
            "comments": comments,
            "fitted_at": now,
        },
    )
