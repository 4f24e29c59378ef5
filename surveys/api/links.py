"""/links/ and /open-links/: where customers answer who are asked by other means than our mail."""

from __future__ import annotations

import django_filters.rest_framework as filters
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from surveys.api.fields import StrictModelSerializer
from surveys.api.filters import TrueFalse
from surveys.api.programs import AskSerializer, InvitationSerializer, SurveyReference
from surveys.api.rows import METHODS
from surveys.delivery import links
from surveys.loop import give_links
from surveys.models import OpenLink, Survey


class LinkSerializer(AskSerializer):
    occasion = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        max_length=160,
        help_text="What it is about, such as “visit:7”; asked once for each. When left out: the "
        "invitation to this survey that the customer can still answer, however they were asked, "
        "or else a new one, at most once a day.",
    )


class Links(GenericViewSet):
    """A customer's personal link, for you to hand over by text message, chat, letter or in person.

    Nothing is mailed and no e-mail address is needed. A link asks as much as a mail does: it is
    throttled like one and counts like one, and whoever has opted out gets none. That decision is
    an invitation (see `/invitations/`) whose `channel` is `link`; as its link was handed over, it
    counts as invited in response rates.
    """

    serializer_class = InvitationSerializer
    http_method_names = METHODS
    needs = {"POST": "surveys.give_links"}

    @extend_schema(
        request=LinkSerializer,
        responses={
            201: OpenApiResponse(InvitationSerializer, "Decided just now; see `decision`, `link`."),
            200: OpenApiResponse(InvitationSerializer, "Decided before: the same link again."),
        },
    )
    def create(self, request) -> Response:
        """Get a customer's link; the same one however often it is asked for."""
        serializer = LinkSerializer(data=request.data, context=self.get_serializer_context())
        serializer.is_valid(raise_exception=True)
        given = serializer.validated_data
        invitation, is_new = give_links.for_customer(
            given["survey"],
            given["customer"],
            request.user,
            timezone.now(),
            occasion=given["occasion"],
            product=given.get("product", ""),
        )
        return Response(self.get_serializer(invitation).data, status=201 if is_new else 200)


class OpenLinkSerializer(StrictModelSerializer):
    survey = SurveyReference(read_only=True)
    link = serializers.SerializerMethodField(help_text="The address that everybody answers at.")
    framed_by = serializers.ListField(
        source="origins",
        child=serializers.CharField(),
        read_only=True,
        help_text="The origins whose pages may embed it.",
    )
    answers = serializers.IntegerField(
        source="person_answers", read_only=True, help_text="Given by people."
    )
    machine_answers = serializers.IntegerField(read_only=True, help_text="Given by machines.")

    class Meta:
        model = OpenLink
        fields = [
            "id", "survey", "name", "language", "is_open", "daily_limit", "client_limit",
            "framed_by", "created_at", "link", "answers", "machine_answers",
        ]  # fmt: skip
        read_only_fields = fields

    def get_link(self, link: OpenLink) -> str:
        return links.open_link(link)


class OpenLinkFilters(filters.FilterSet):
    survey = filters.ModelChoiceFilter(queryset=Survey.objects.all())
    product = filters.CharFilter(field_name="survey__product")
    is_open = TrueFalse()

    class Meta:
        model = OpenLink
        fields: list[str] = []


class OpenLinks(ListModelMixin, RetrieveModelMixin, GenericViewSet):
    """Addresses for everybody, on counters, invoices and web pages. What comes in by them is
    anonymous: responses of the source `anonymous`, which enter no response rate."""

    queryset = OpenLink.objects.with_counts().select_related("survey")
    serializer_class = OpenLinkSerializer
    http_method_names = METHODS
    needs = {"GET": "surveys.view_openlink"}
    filterset_class = OpenLinkFilters
