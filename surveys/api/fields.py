"""What every serializer shares: nothing unknown is taken, times are UTC."""

from __future__ import annotations

from datetime import UTC

from django.db import models
from rest_framework import serializers


class Moment(serializers.DateTimeField):
    """RFC 3339 in UTC, such as 2026-03-10T09:00:00Z, wherever the reader sits."""

    def __init__(self, **kwargs):
        super().__init__(**{"default_timezone": UTC, **kwargs})


class Whole(serializers.IntegerField):
    """An integer as JSON writes it: not true, not 5.0, not "5", and in no other script."""

    def to_internal_value(self, data):
        if type(data) is not int:
            self.fail("invalid")
        return super().to_internal_value(data)


class Strict:
    """Refuses names it does not know, and those that only we may set."""

    def to_internal_value(self, data):
        if isinstance(data, dict):
            self._refuse_unknown(data)
        return super().to_internal_value(data)

    def _refuse_unknown(self, data: dict) -> None:
        errors = {}
        for name in data:
            if name not in self.fields:
                errors[name] = ["There is no such field."]
            elif self.fields[name].read_only:
                errors[name] = ["This field cannot be set."]
        if errors:
            raise serializers.ValidationError(errors)


class StrictSerializer(Strict, serializers.Serializer):
    pass


class StrictModelSerializer(Strict, serializers.ModelSerializer):
    serializer_field_mapping = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.DateTimeField: Moment,
    }


class Reference(StrictSerializer):
    """A row named by one or more of its unique fields, all of which must fit; read with all.

    Subclasses must say `noun`, and `queryset` or `get_queryset`.
    """

    queryset: models.QuerySet
    noun: str

    def get_queryset(self) -> models.QuerySet:
        return self.queryset.visible_to(self.context["request"].user)

    def to_internal_value(self, data):
        given = super().to_internal_value(data)
        if not given:
            names = ", ".join(self.fields)
            raise serializers.ValidationError(f"Name the {self.noun} by one of: {names}.")
        found = self.get_queryset().filter(**given).first() or self._standing(given)
        if found is None:
            said = " and ".join(f"{name} “{value}”" for name, value in given.items())
            raise serializers.ValidationError(f"There is no {self.noun} with {said}.")
        return found

    def _standing(self, given: dict) -> models.Model | None:
        """The row that another one was merged into, found by what that one was known by."""
        rows = self.get_queryset()
        if not hasattr(rows.model, "merged_into"):
            return None
        signposts = rows.model.objects.filter(merged_into__isnull=False, **given)
        return rows.filter(pk__in=signposts.values("merged_into")).first()
