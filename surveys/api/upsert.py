"""Feeding in: what is sent again finds the same row, so a nightly sync needs no memory."""

from __future__ import annotations

from django.db import IntegrityError, models, transaction
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework.exceptions import ValidationError
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from surveys.api.errors import Conflict
from surveys.api.rows import Rows
from surveys.models import AuditEntry
from surveys.models.audit import recorded


def upserts(serializer: type[BaseSerializer]):
    """Say in the schema that creating may as well change."""
    responses = {
        201: OpenApiResponse(serializer, "Created."),
        200: OpenApiResponse(serializer, "There was one with this id: changed."),
    }
    return extend_schema_view(create=extend_schema(responses=responses))


class FedRows(ListModelMixin, RetrieveModelMixin, Rows):
    # Subclasses must say which two unique fields find a row again: first the other system's own id.
    identified_by: tuple[str, str]

    def create(self, request, *args, **kwargs) -> Response:
        """Create (201), or change the row with this id (200). What is left out stays as it is."""
        try:
            created, data = self._upsert(request.data)
        except Conflict:
            created, data = self._upsert(request.data)  # a twin came first: now it is found
        return Response(data, status=201 if created else 200)

    def partial_update(self, request, *args, **kwargs) -> Response:
        """Change the given fields."""
        with transaction.atomic():
            row = self.get_object()
            serializer = self.get_serializer(row, data=request.data, partial=True)
            serializer.is_valid(raise_exception=True)
            self._save(serializer, "change")
        return Response(serializer.data)

    @transaction.atomic
    def _upsert(self, body: dict) -> tuple[bool, dict]:
        serializer = self.get_serializer(data=body)
        serializer.is_valid(raise_exception=True)
        if standing := self._merged(serializer.validated_data):
            return False, self.get_serializer(standing).data
        serializer.instance = self._find(serializer.validated_data)
        created = serializer.instance is None
        self._save(serializer, "create" if created else "change")
        return created, serializer.data

    def _merged(self, given: dict) -> models.Model | None:
        """The row into which the one that is meant was merged. That row's own record in the other
        system speaks for it: what is sent of the other record changes nothing."""
        ids = {name: given[name] for name in self.identified_by if given.get(name)}
        rows = list(self.queryset.model.objects.filter(_any_of(ids))[:2]) if ids else []
        standing = {row.merged_into_id or row.pk for row in rows}
        if len(standing) != 1 or not any(row.merged_into_id for row in rows):
            return None
        first, second = self.identified_by
        if any(not row.merged_into_id and getattr(row, first) == ids.get(first) for row in rows):
            given.pop(second)  # stays with the signpost, so that it leads here from now on, too
            return None
        return self.get_queryset().filter(pk__in=standing).first()

    def _find(self, given: dict) -> models.Model | None:
        """The row the ids stand for. Raises Conflict when they stand for two."""
        ids = {name: given[name] for name in self.identified_by if given.get(name)}
        if not ids:
            raise ValidationError(f"Give {' or '.join(self.identified_by)}, to be found again by.")
        any_of = _any_of(ids)
        found = list(self.get_queryset().select_for_update(of=("self",)).filter(any_of)[:2])
        if len(found) == 2:
            raise Conflict(f"{' and '.join(ids)} belong to two different rows.")
        first = self.identified_by[0]
        if found and first in ids and getattr(found[0], first) not in (None, ids[first]):
            raise Conflict(f"{self.identified_by[1]} belongs to a row with another {first}.")
        return found[0] if found else None

    def _save(self, serializer, verb: str) -> None:
        given = sorted(serializer.validated_data)
        before = _values(serializer.instance, given) if serializer.instance else {}
        try:
            with transaction.atomic():
                row = serializer.save()
        except IntegrityError as error:
            raise Conflict(f"{' or '.join(self.identified_by)} belongs to another row.") from error
        after = _values(row, given)
        changed = [name for name in given if not before or before[name] != after[name]]
        if not changed:
            return  # a nightly sync sends most rows as they are
        AuditEntry.record(
            verb,
            row,
            timezone.now(),
            actor=self.request.user,
            before=_said(row, {name: before[name] for name in changed if before}),
            after=_said(row, {name: after[name] for name in changed}),
            reason=f"API key {self.request.auth}",
        )


def _values(row: models.Model, names: list[str]) -> dict:
    return {name: getattr(row, name, None) for name in names}


def _said(row: models.Model, values: dict) -> dict:
    personal = getattr(row, "personal", ())
    return {name: recorded(value, name in personal) for name, value in values.items()}


def _any_of(ids: dict) -> models.Q:
    return models.Q(*ids.items(), _connector=models.Q.OR)
