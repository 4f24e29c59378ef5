"""What a list can be asked for in its query string. A parameter nobody knows is refused: a misspelt
filter that is ignored would answer with everything."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import reduce
from operator import or_

from django import forms
from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils.dateparse import parse_datetime
from django_filters.rest_framework import DjangoFilterBackend, IsoDateTimeFilter, TypedChoiceFilter
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework.exceptions import ValidationError
from rest_framework.filters import BaseFilterBackend

LONGEST_SEARCH = 200  # characters
MOST_TERMS = 8  # each is a scan: 10,000 of them took 5 s
YEARS = range(1970, 2200)


class KnownParameters(BaseFilterBackend):
    """Each parameter once, and none that the view does not read."""

    def filter_queryset(self, request, queryset: QuerySet, view) -> QuerySet:
        refuse_unknown(request.query_params, _parameters(view, queryset))
        return queryset


def refuse_unknown(query: QueryDict, known: Iterable[str]) -> None:
    """Raises ValidationError unless each parameter of the query is known and given once."""
    known, errors = sorted(known), {}
    for name, values in query.lists():
        if name not in known:
            errors[name] = [f"There is no such parameter. Known: {', '.join(known) or 'none'}."]
        elif len(values) > 1:
            errors[name] = ["Give it once."]
    if errors:
        raise ValidationError(errors)


def _parameters(view, queryset: QuerySet) -> list[str]:
    if view.action != "list":
        return []
    filterset = DjangoFilterBackend().get_filterset_class(view, queryset)
    filters = list(filterset.base_filters) if filterset else []
    search = [Search.parameter] if getattr(view, "search_fields", None) else []
    return [*filters, *search, "cursor", "page_size"]


class Search(BaseFilterBackend):
    """`?search=`: rows in which every term occurs in one of the view's `search_fields`."""

    parameter = "search"

    def filter_queryset(self, request, queryset: QuerySet, view) -> QuerySet:
        fields = getattr(view, "search_fields", None)
        text = request.query_params.get(self.parameter, "")
        if not fields or not text:
            return queryset
        return queryset.filter(*(_occurs(term, fields) for term in self._terms(text)))

    def _terms(self, text: str) -> list[str]:
        terms = text.split()
        if len(text) > LONGEST_SEARCH or len(terms) > MOST_TERMS or "\x00" in text:
            said = f"At most {LONGEST_SEARCH} printable characters in {MOST_TERMS} words."
            raise ValidationError({self.parameter: [said]})
        return terms

    def get_schema_operation_parameters(self, view) -> list[dict]:
        fields = getattr(view, "search_fields", None)
        if not fields:
            return []
        said = f"Words that all occur in {', '.join(fields)}; at most {MOST_TERMS}."
        schema = {"type": "string", "maxLength": LONGEST_SEARCH}
        return [
            {"name": self.parameter, "in": "query", "description": said, "schema": schema},
        ]


def _occurs(term: str, fields: list[str]) -> Q:
    return reduce(or_, (Q(**{f"{field}__icontains": term}) for field in fields))


@extend_schema_field(OpenApiTypes.BOOL)
class TrueFalse(TypedChoiceFilter):
    """`true` or `false`; BooleanFilter would take any other word for “do not filter”."""

    def __init__(self, **kwargs):
        choices = [("true", "Yes"), ("false", "No")]
        super().__init__(choices=choices, coerce=lambda text: text == "true", **kwargs)


class MomentField(forms.CharField):
    """An RFC 3339 time with its offset. Raises ValidationError for anything else."""

    def clean(self, value: str | None) -> datetime | None:
        text = super().clean(value)
        if not text:
            return None
        try:
            moment = parse_datetime(text)
            if moment and moment.tzinfo and moment.year in YEARS:
                return moment.astimezone(UTC)
        except (ValueError, OverflowError):
            pass  # a date that no calendar has
        raise forms.ValidationError("Give a time with its offset, such as 2026-03-01T00:00:00Z.")


class MomentFilter(IsoDateTimeFilter):
    field_class = MomentField
