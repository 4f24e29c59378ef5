"""Filters that offer what occurs in the reader's own rows, and nothing of anybody else's."""

from __future__ import annotations

from collections.abc import Callable

from django.db.models import QuerySet
from unfold.contrib.filters.admin import DropdownFilter

from surveys.models import User

LONGEST_LIST = 200


def values_filter(
    title: str,
    path: str,
    label: str = "",
    empty: str = "",
    of: Callable[[User], QuerySet] | None = None,
) -> type[DropdownFilter]:
    """A drop-down of the values at `path` of the rows the reader sees, shown as `label` (a path).

    With `empty`, rows without a value can be asked for under that name. Where the rows are too many
    to look through, `of` says what may occur in them, as rows of key and name.
    """

    class Values(DropdownFilter):
        parameter_name = path.replace("__", "_")

        def lookups(self, request, model_admin):
            if of:
                pairs = of(request.user)
            else:
                rows = model_admin.get_queryset(request).order_by().exclude(**{path: None})
                pairs = rows.values_list(path, label or path).distinct().order_by(label or path)
            offered = [(str(value), str(name)) for value, name in pairs[:LONGEST_LIST] if name]
            return [("-", empty), *offered] if empty else offered

        def queryset(self, request, queryset):
            value = self.value()
            if value == "-" and empty:
                return queryset.filter(**{path: None})
            offered = {choice for choice, _ in self.lookup_choices}
            if value and value not in offered:
                return queryset.none()
            return queryset.filter(**{path: value}) if value else queryset

    Values.title = title
    return Values


def choices_filter(title: str, field: str, choices) -> type[DropdownFilter]:
    """A drop-down of a field's fixed choices."""

    class Choices(DropdownFilter):
        parameter_name = field

        def lookups(self, request, model_admin):
            return choices

        def queryset(self, request, queryset):
            value = self.value()
            if value and value not in {str(choice) for choice, _ in self.lookup_choices}:
                return queryset.none()
            return queryset.filter(**{field: value}) if value else queryset

    Choices.title = title
    return Choices
