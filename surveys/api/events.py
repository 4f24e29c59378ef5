"""/events/: what happened to a customer elsewhere; a trigger says which survey asks about it."""

from __future__ import annotations

from datetime import datetime, timedelta

import django_filters.rest_framework as filters
from django.db import transaction
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.response import Response

from surveys.api.accounts import AccountReference
from surveys.api.customers import CustomerReference
from surveys.api.fields import Moment, StrictModelSerializer, StrictSerializer
from surveys.api.filters import YEARS, MomentFilter
from surveys.api.rows import Rows
from surveys.loop import happen, recognise
from surveys.models import Customer, Event

CLOCKS_DIFFER = timedelta(minutes=10)
ONLY_TO_CREATE = "Only used to create the customer; what is known stays as it is."


class EventSerializer(StrictModelSerializer):
    customer = CustomerReference(read_only=True)

    class Meta:
        model = Event
        fields = [
            "id", "source", "external_id", "happening", "subject", "customer", "product",
            "happened_at", "received_at", "ask_at", "outcome", "decided_at", "invitation",
        ]  # fmt: skip
        read_only_fields = fields


class PersonSerializer(StrictSerializer):
    email = serializers.EmailField(required=False, allow_null=True, max_length=254)
    external_id = serializers.CharField(required=False, allow_null=True, max_length=100)
    name = serializers.CharField(
        required=False, allow_blank=True, max_length=200, help_text=ONLY_TO_CREATE
    )
    language = serializers.CharField(
        required=False, allow_blank=True, max_length=10, help_text=ONLY_TO_CREATE
    )
    account = AccountReference(required=False, allow_null=True, help_text=ONLY_TO_CREATE)

    def validate_language(self, value: str) -> str:
        return value.lower().replace("_", "-")

    def validate(self, given: dict) -> dict:
        if not given.get("email") and not given.get("external_id"):
            raise serializers.ValidationError("Give the customer's email or external_id.")
        return given


class HappeningSerializer(StrictSerializer):
    source = serializers.CharField(
        max_length=40, help_text="The system it happened in, such as “zendesk”, in lower case."
    )
    external_id = serializers.CharField(
        max_length=100, help_text="The source's own id of what happened; each is taken once."
    )
    happening = serializers.CharField(
        max_length=60,
        help_text="Such as “ticket.solved”. One that ends in “.reopened” takes back the ask about "
        "an earlier one of its subject.",
    )
    subject = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        max_length=100,
        help_text="What it happened to, such as “ticket:4711”.",
    )
    customer = PersonSerializer()
    create_customer = serializers.BooleanField(
        required=False,
        default=False,
        help_text="Whether a customer nobody knows yet is created; otherwise they are refused.",
    )
    product = serializers.CharField(required=False, allow_blank=True, default="", max_length=80)
    happened_at = Moment(required=False, default=None, help_text="Just now, when left out.")

    def validate_source(self, value: str) -> str:
        return value.lower()

    def validate_happening(self, value: str) -> str:
        return value.lower()

    def validate_happened_at(self, value: datetime | None) -> datetime | None:
        if value is None:
            return None
        if value.year not in YEARS:
            raise serializers.ValidationError(f"Give a year from {YEARS[0]} to {YEARS[-1]}.")
        if value > self.context["now"] + CLOCKS_DIFFER:
            raise serializers.ValidationError("This is in the future.")
        return value


class EventFilters(filters.FilterSet):
    customer = filters.CharFilter(
        field_name="customer__external_id", help_text="The customer's external_id."
    )
    happened_from = MomentFilter(field_name="happened_at", lookup_expr="gte")
    happened_before = MomentFilter(field_name="happened_at", lookup_expr="lt")

    class Meta:
        model = Event
        fields = ["source", "external_id", "happening", "subject", "product", "outcome"]


class Events(ListModelMixin, RetrieveModelMixin, Rows):
    """What happened to customers elsewhere, and whether they are asked about it."""

    queryset = Event.objects.select_related("customer")
    serializer_class = EventSerializer
    filterset_class = EventFilters
    # An event asks like an invitation does: whoever may plan waves may tell of it.
    needs = {"GET": "surveys.view_event", "POST": "surveys.add_wave"}

    @extend_schema(
        request=HappeningSerializer,
        responses={
            201: OpenApiResponse(EventSerializer, "Stored; see `outcome` and `ask_at`."),
            200: OpenApiResponse(EventSerializer, "Told before; nothing was changed."),
        },
    )
    def create(self, request) -> Response:
        """Tell what happened to a customer; a trigger says whether and when it is asked about."""
        now = timezone.now()
        context = {**self.get_serializer_context(), "now": now}
        serializer = HappeningSerializer(data=request.data, context=context)
        serializer.is_valid(raise_exception=True)
        given = serializer.validated_data
        with transaction.atomic():
            event, is_new = happen.happen(
                given["source"],
                given["external_id"],
                given["happening"],
                self._customer(given, now),
                given["product"],
                given["happened_at"],
                now,
                subject=given["subject"],
            )
        return Response(self.get_serializer(event).data, status=201 if is_new else 200)

    def _customer(self, given: dict, now: datetime) -> Customer:
        """Who is meant, created when that was asked for. Raises ValidationError, TwoCustomers."""
        user, person = self.request.user, recognise.Person(**given["customer"])
        if given["create_customer"]:
            reason = f"API key {self.request.auth}"
            customer, _ = recognise.find_or_create(person, now, actor=user, reason=reason)
        else:
            customer = recognise.find(person)
        if (
            customer is None
            or not Customer.objects.visible_to(user).filter(pk=customer.pk).exists()
        ):
            said = "There is no such customer. Send “create_customer”: true to create them."
            raise ValidationError({"customer": [said]})
        return customer
