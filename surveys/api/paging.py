"""Lists come in pages; `next` leads on, and rows that arrive meanwhile shift nothing."""

from __future__ import annotations

from django.core.exceptions import ValidationError as BadValue
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import CursorPagination

LARGEST_PAGE = 100


class Pages(CursorPagination):
    page_size = 50
    page_size_query_param = "page_size"
    page_size_query_description = f"1 to {LARGEST_PAGE} rows in a page; 50 when left out."
    max_page_size = LARGEST_PAGE
    cursor_query_description = "Where a page begins: follow `next` and `previous`, which carry it."
    ordering = "-pk"

    def get_ordering(self, request, queryset, view) -> tuple[str, ...]:
        """The view's own, by one column that never changes; the newest first when it has none."""
        return (getattr(view, "page_ordering", self.ordering),)

    def paginate_queryset(self, queryset, request, view=None):
        try:
            return super().paginate_queryset(queryset, request, view)
        except (NotFound, BadValue, ValueError) as error:  # a cursor somebody has tampered with
            raise ValidationError({"cursor": ["Take it from `next` or `previous`."]}) from error

    def get_page_size(self, request) -> int:
        text = request.query_params.get(self.page_size_query_param, str(self.page_size))
        if text not in map(str, range(1, LARGEST_PAGE + 1)):
            raise ValidationError({"page_size": [f"Give a number from 1 to {LARGEST_PAGE}."]})
        return int(text)
