"""/responses/: what customers answered, and answers given elsewhere, such as on the phone."""

from __future__ import annotations

import django_filters.rest_framework as filters
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import response as http
from rest_framework import serializers
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin

from surveys.api.customers import CustomerReference
from surveys.api.fields import StrictModelSerializer, StrictSerializer, Whole
from surveys.api.filters import MomentFilter
from surveys.api.programs import SurveyReference
from surveys.api.rows import Rows
from surveys.loop import answer
from surveys.models import COMMENT_LENGTH, Invitation, Response, Survey


class ResponseSerializer(StrictModelSerializer):
    survey = SurveyReference(read_only=True)
    customer = CustomerReference(read_only=True, allow_null=True)
    reasons = serializers.SlugRelatedField(slug_field="key", many=True, read_only=True)
    task = serializers.IntegerField(source="task.id", default=None, read_only=True, allow_null=True)

    class Meta:
        model = Response
        fields = [
            "id", "survey", "kind", "customer", "source", "score", "band", "comment", "language",
            "product", "segment", "reasons", "wants_contact", "contact_channel", "contact_time",
            "verdict", "signs", "answered_at", "finished_at", "task",
        ]  # fmt: skip
        read_only_fields = fields


@extend_schema_field(OpenApiTypes.INT)
class VisibleInvitation(serializers.PrimaryKeyRelatedField):
    def get_queryset(self):
        return Invitation.objects.visible_to(self.context["request"].user)


class GivenSerializer(StrictSerializer):
    invitation = VisibleInvitation(help_text="The id of the invitation that is answered.")
    score = Whole(help_text="On the survey's scale: NPS 0-10, CSAT 1-5, CES 1-7.")
    comment = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=COMMENT_LENGTH
    )

    def validate(self, given: dict) -> dict:
        scale = given["invitation"].survey.scale
        if given["score"] not in scale:
            raise serializers.ValidationError(
                {"score": f"It must be from {scale[0]} to {scale[-1]} for this survey."}
            )
        return given


class ResponseFilters(filters.FilterSet):
    survey = filters.ModelChoiceFilter(queryset=Survey.objects.all())
    answered_from = MomentFilter(field_name="answered_at", lookup_expr="gte")
    answered_before = MomentFilter(field_name="answered_at", lookup_expr="lt")

    class Meta:
        model = Response
        fields = ["source", "product", "segment", "band", "verdict"]


class Responses(ListModelMixin, RetrieveModelMixin, Rows):
    """What customers answered; the newest first."""

    queryset = Response.objects.select_related("survey", "customer", "task").prefetch_related(
        "reasons"
    )
    serializer_class = ResponseSerializer
    filterset_class = ResponseFilters
    # Answering for a customer moves the figures: for those who may also judge answers.
    needs = {"GET": "surveys.view_response", "POST": "surveys.change_response"}

    @extend_schema(
        request=GivenSerializer,
        responses={
            201: OpenApiResponse(ResponseSerializer, "Stored, and sorted."),
            200: OpenApiResponse(ResponseSerializer, "Answered before; nothing was changed."),
        },
    )
    def create(self, request) -> http.Response:
        """Store what a customer answered elsewhere; once for each invitation."""
        serializer = GivenSerializer(data=request.data, context=self.get_serializer_context())
        serializer.is_valid(raise_exception=True)
        given = serializer.validated_data
        response, is_new = answer.give(
            given["invitation"], given["score"], given["comment"], timezone.now(), request.user
        )
        stored = self.get_queryset().get(pk=response.pk)
        return http.Response(self.get_serializer(stored).data, status=201 if is_new else 200)
