"""What the reader wants to look at. A wrong wish is left out and said so; no report fails on it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminSelectWidget

from analysis import phrases
from analysis.counts import DIMENSIONS
from analysis.months import Month
from analysis.report import MONTHS, Filters, newest_month
from analysis.rollups import AnswerDay
from analysis.themes_report import newest_month_with_comments, surveys_by_comments
from surveys.models import Survey

OFFERED_MONTHS = 24


@dataclass(frozen=True)
class Choice:
    """One filter: what it offers as (value, words), and what holds without a wish."""

    offered: Sequence[tuple[str, str]]
    default: str = ""


class FilterForm(forms.Form):
    """Drop-down lists; `chosen` holds what was asked for, or the default, by name."""

    def __init__(self, request: HttpRequest, choices: dict[str, Choice]) -> None:
        wishes = {name: request.GET.get(name) or one.default for name, one in choices.items()}
        super().__init__(wishes, auto_id="filter-%s", label_suffix="")
        for name, choice in choices.items():
            self.fields[name] = forms.ChoiceField(
                choices=choice.offered, required=False, widget=UnfoldAdminSelectWidget
            )
        for name in self.errors:
            messages.warning(request, f"There is no such {name}, so that filter was left out.")
            self.data[name] = choices[name].default
        self.chosen: dict[str, str] = dict(self.data)


def report_filters(
    request: HttpRequest, now: datetime, more: dict[str, Choice] | None = None
) -> tuple[FilterForm, Filters]:
    """`more` are further choices, which the caller reads."""
    months = _months(request, now, newest_month(now))
    found = _dimensions(Month.parse(months.offered[0][0]))
    form = FilterForm(
        request,
        {
            "month": months,
            "survey": Choice([("", "All surveys"), *_surveys()]),
            **(more or {}),
            **{name: Choice([("", f"All {name}s"), *_same(found[name])]) for name in DIMENSIONS},
        },
    )
    wish = form.chosen
    survey = int(wish["survey"]) if wish["survey"] else None
    wanted = {name: wish[name] for name in DIMENSIONS}
    return form, Filters(Month.parse(wish["month"]), survey, **wanted)


def theme_filters(request: HttpRequest, now: datetime) -> tuple[FilterForm, Survey | None, Month]:
    """Without a wish: the survey with most comments, the newest month in which it has any."""
    by_id = {str(survey.pk): survey for survey in surveys_by_comments()}
    default = next(iter(by_id), "")
    wished = by_id.get(request.GET.get("survey", ""), by_id.get(default))
    newest = newest_month_with_comments(wished, now) if wished else Month.of(now)
    names = sorted((survey.name, pk) for pk, survey in by_id.items())
    form = FilterForm(
        request,
        {
            "survey": Choice([(pk, name) for name, pk in names], default),
            "month": _months(request, now, newest),
            "product": Choice([("", "All products"), *_same(_products_of(wished, now))]),
        },
    )
    return form, by_id.get(form.chosen["survey"]), Month.parse(form.chosen["month"])


def _months(request: HttpRequest, now: datetime, default: Month) -> Choice:
    """This month and those before it, and an older one that was asked for by its address."""
    current = Month.of(now)
    offered = {default, *current.last(OFFERED_MONTHS)}
    with suppress(ValueError):
        offered.add(min(Month.parse(request.GET.get("month", "")), current))
    months = sorted(offered, reverse=True)
    return Choice([(str(month), phrases.month_name(month)) for month in months], str(default))


def _surveys() -> list[tuple[str, str]]:
    return [(str(pk), name) for pk, name in Survey.objects.values_list("pk", "name")]


def _same(names: Iterable[str]) -> list[tuple[str, str]]:
    return [(name, name) for name in sorted(names)]


def _products_of(survey: Survey | None, now: datetime) -> set[str]:
    """Those that answers of the last two years to the survey belong to."""
    rows = _lately(Month.of(now)).filter(survey=survey)
    return set(rows.values_list("product", flat=True).distinct()) - {""}


def _dimensions(newest: Month) -> dict[str, set[str]]:
    """The products, segments and regions that answers of the last two years belong to."""
    found = list(_lately(newest).values_list(*DIMENSIONS).distinct())
    return {name: {row[n] for row in found} - {""} for n, name in enumerate(DIMENSIONS)}


def _lately(newest: Month) -> QuerySet[AnswerDay]:
    months = newest.last(OFFERED_MONTHS + MONTHS)
    days = {"day__gte": months[0].first_day, "day__lt": newest.plus(1).first_day}
    return AnswerDay.objects.filter(**days).order_by()
