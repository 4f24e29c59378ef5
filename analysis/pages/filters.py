"""What the reader wants to look at. A wrong wish is left out and said so; no report fails on it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from django import forms
from django.contrib import messages
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminSelectWidget

from analysis import phrases
from analysis.months import Month, within
from analysis.report import MONTHS, Filters, newest_month
from analysis.themes_report import newest_month_with_comments, surveys_by_comments
from surveys.models import Response, Survey

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


def report_filters(request: HttpRequest, now: datetime) -> tuple[FilterForm, Filters]:
    months = _months(request, now, newest_month(now))
    products, segments = _products_and_segments(Month.parse(months.offered[0][0]))
    form = FilterForm(
        request,
        {
            "month": months,
            "survey": Choice([("", "All surveys"), *_surveys()]),
            "product": Choice([("", "All products"), *_same(products)]),
            "segment": Choice([("", "All segments"), *_same(segments)]),
        },
    )
    wish = form.chosen
    survey = int(wish["survey"]) if wish["survey"] else None
    return form, Filters(Month.parse(wish["month"]), survey, wish["product"], wish["segment"])


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
    recent = within("answered_at", Month.of(now).last(OFFERED_MONTHS + MONTHS))
    rows = Response.objects.filter(survey=survey, **recent).order_by()
    return set(rows.values_list("product", flat=True).distinct()) - {""}


def _products_and_segments(newest: Month) -> tuple[set[str], set[str]]:
    """Those that answers of the last two years belong to."""
    recent = within("answered_at", newest.last(OFFERED_MONTHS + MONTHS))
    rows = Response.objects.filter(**recent).order_by()
    pairs = list(rows.values_list("product", "segment").distinct())
    return {product for product, _ in pairs} - {""}, {segment for _, segment in pairs} - {""}
