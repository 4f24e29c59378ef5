"""/surveys/ and /invitations/: what we ask, and asking one customer when something has happened."""

from __future__ import annotations

import django_filters.rest_framework as filters
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from surveys.api.customers import CustomerReference
from surveys.api.fields import Reference, StrictModelSerializer, StrictSerializer, Whole
from surveys.api.filters import TrueFalse
from surveys.api.rows import METHODS, Rows
from surveys.delivery.links import answer_link
from surveys.loop import ask
from surveys.models import ApiKey, Invitation, NoWording, Survey


class SurveySerializer(StrictModelSerializer):
    class Meta:
        model = Survey
        fields = ["id", "name", "kind", "product", "language", "is_open", "created_at"]
        read_only_fields = fields


class SurveyFilters(filters.FilterSet):
    is_open = TrueFalse()

    class Meta:
        model = Survey
        fields = ["kind", "product"]


class Surveys(ListModelMixin, RetrieveModelMixin, GenericViewSet):
    """The programs of asking. They belong to the whole company."""

    queryset = Survey.objects.all()
    serializer_class = SurveySerializer
    http_method_names = METHODS
    needs = {"GET": "surveys.view_survey"}
    filterset_class = SurveyFilters


class SurveyReference(Reference):
    id = Whole(required=False)
    name = serializers.CharField(required=False)

    noun = "survey"

    def get_queryset(self):
        return Survey.objects.prefetch_related("wordings")


class InvitationSerializer(StrictModelSerializer):
    survey = SurveyReference()
    customer = CustomerReference()
    link = serializers.SerializerMethodField(
        help_text="Where this customer answers; null when they are not asked. Only shown to keys "
        "that may write; whoever has it can answer in the customer's name."
    )

    class Meta:
        model = Invitation
        fields = [
            "id", "survey", "customer", "occasion", "product", "language", "decision",
            "throttled_by", "channel", "created_at", "send_at", "link_given_at", "expires_at",
            "link",
        ]  # fmt: skip
        read_only_fields = ["language", "decision", "throttled_by", "channel", "created_at",
                            "send_at", "link_given_at", "expires_at"]  # fmt: skip

    def get_link(self, invitation: Invitation) -> str | None:
        may_write = self.context["request"].auth.scope == ApiKey.Scope.WRITE
        is_asked = invitation.decision == Invitation.Decision.ASK
        return answer_link(invitation) if may_write and is_asked else None


class AskSerializer(StrictSerializer):
    survey = SurveyReference()
    customer = CustomerReference()
    occasion = serializers.CharField(
        max_length=160,
        help_text="What happened, such as “ticket:4711”. A customer is asked once for each.",
    )
    product = serializers.CharField(required=False, allow_blank=True, max_length=80)

    def validate_survey(self, survey: Survey) -> Survey:
        try:
            survey.wording_for(survey.language)
        except NoWording as error:
            raise serializers.ValidationError(str(error)) from error
        return survey

    def validate_occasion(self, occasion: str) -> str:
        if occasion.startswith("wave:"):
            raise serializers.ValidationError("Occasions that begin with “wave:” are waves.")
        return occasion


class InvitationFilters(filters.FilterSet):
    survey = filters.ModelChoiceFilter(queryset=Survey.objects.all())
    customer = filters.CharFilter(
        field_name="customer__external_id", help_text="The customer's external_id."
    )

    class Meta:
        model = Invitation
        fields = ["decision", "channel", "product", "occasion"]


class Invitations(ListModelMixin, RetrieveModelMixin, Rows):
    """Who was asked on which occasion, and who was not, with the reason."""

    queryset = Invitation.objects.select_related("survey", "customer")
    serializer_class = InvitationSerializer
    filterset_class = InvitationFilters
    # Asking one customer is a small wave: whoever may plan waves may do it.
    needs = {"GET": "surveys.view_invitation", "POST": "surveys.add_wave"}

    @extend_schema(
        request=AskSerializer,
        responses={
            201: OpenApiResponse(InvitationSerializer, "Decided just now; see `decision`."),
            200: OpenApiResponse(InvitationSerializer, "Decided before; nothing was changed."),
        },
    )
    def create(self, request) -> Response:
        """Ask one customer, once for each occasion."""
        serializer = AskSerializer(data=request.data, context=self.get_serializer_context())
        serializer.is_valid(raise_exception=True)
        given, now = serializer.validated_data, timezone.now()
        [invitation] = ask.invite(
            given["survey"],
            [given["customer"]],
            given["occasion"],
            now,
            product=given.get("product", ""),
            by=request.user,
        )
        is_new = invitation.created_at == now
        return Response(self.get_serializer(invitation).data, status=201 if is_new else 200)
