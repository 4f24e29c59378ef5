"""What every list of the API shares."""

from __future__ import annotations

from rest_framework.viewsets import GenericViewSet

METHODS = ["get", "head", "post", "patch"]


class Rows(GenericViewSet):
    # The docstrings of views are read by others, in the schema. For us: these are rows of one noun,
    # as far as the key's colleague may see them; `needs` says which permission each method takes.
    http_method_names = METHODS
    needs: dict[str, str] = {}

    def get_queryset(self):
        return super().get_queryset().visible_to(self.request.user)
