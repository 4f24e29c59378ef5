"""/responses/: what customers answered."""

from __future__ import annotations

import django_filters.rest_framework as filters
from rest_framework import serializers
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin

from surveys.api.customers import CustomerReference
from surveys.api.fields import StrictModelSerializer
from surveys.api.filters import MomentFilter
from surveys.api.programs import SurveyReference
from surveys.api.rows import Rows
from surveys.models import Response, Survey


class ResponseSerializer(StrictModelSerializer):
    survey = SurveyReference(read_only=True)
    customer = CustomerReference(read_only=True, allow_null=True)
    task = serializers.IntegerField(source="task.id", default=None, read_only=True, allow_null=True)

    class Meta:
        model = Response
        fields = [
            "id", "survey", "kind", "customer", "source", "score", "band", "comment", "language",
            "product", "segment", "verdict", "answered_at", "task",
        ]  # fmt: skip
        read_only_fields = fields


class ResponseFilters(filters.FilterSet):
    survey = filters.ModelChoiceFilter(queryset=Survey.objects.all())
    answered_from = MomentFilter(field_name="answered_at", lookup_expr="gte")
    answered_before = MomentFilter(field_name="answered_at", lookup_expr="lt")

    class Meta:
        model = Response
        fields = ["product", "segment", "band", "verdict"]


class Responses(ListModelMixin, RetrieveModelMixin, Rows):
    """What customers answered; the newest first."""

    queryset = Response.objects.select_related("survey", "customer", "task")
    serializer_class = ResponseSerializer
    filterset_class = ResponseFilters
    needs = {"GET": "surveys.view_response"}
