"""/customers/: the people whom we may ask."""

from __future__ import annotations

import re

import django_filters.rest_framework as filters
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from surveys.api.accounts import AccountReference
from surveys.api.fields import Reference, StrictModelSerializer, StrictSerializer, Whole
from surveys.api.filters import TrueFalse
from surveys.api.upsert import FedRows, upserts
from surveys.loop.forget import forget
from surveys.models import Customer, Erasure


class CustomerReference(Reference):
    id = Whole(required=False)
    external_id = serializers.CharField(required=False, allow_null=True)
    email = serializers.CharField(required=False, allow_null=True)
    name = serializers.CharField(read_only=True)

    queryset = Customer.objects.all()
    noun = "customer"

    def validate_email(self, value: str | None) -> str | None:
        return value.lower() if value else None


class CustomerSerializer(StrictModelSerializer):
    account = AccountReference(required=False, allow_null=True)

    class Meta:
        model = Customer
        fields = [
            "id", "external_id", "email", "name", "phone", "account", "segment", "language",
            "time_zone", "country", "is_key_contact", "created_at",
        ]  # fmt: skip
        # Uniqueness is what a customer is found again by; the database guards it.
        extra_kwargs = {"email": {"validators": []}, "external_id": {"validators": []}}

    def validate_external_id(self, value: str | None) -> str | None:
        return value or None

    def validate_email(self, value: str | None) -> str | None:
        return value.lower() if value else None

    def validate_country(self, value: str) -> str:
        if value and not re.fullmatch(r"[A-Za-z]{2}", value):
            raise serializers.ValidationError("Two letters such as DE (ISO 3166).")
        return value.upper()

    def validate_language(self, value: str) -> str:
        return value.lower().replace("_", "-")


class CustomerFilters(filters.FilterSet):
    is_key_contact = TrueFalse()

    class Meta:
        model = Customer
        fields = ["external_id", "segment", "language"]


class ForgetSerializer(StrictSerializer):
    reason = serializers.CharField(
        max_length=200, help_text="Why, such as the number of the request. Leave the name out."
    )


class ErasureSerializer(StrictModelSerializer):
    class Meta:
        model = Erasure
        fields = ["id", "at", "reason"]
        read_only_fields = fields


@upserts(CustomerSerializer)
class Customers(FedRows):
    """The people who may be asked."""

    queryset = Customer.objects.select_related("account")
    serializer_class = CustomerSerializer
    needs = {
        "GET": "surveys.view_customer",
        "POST": "surveys.add_customer",
        "PATCH": "surveys.change_customer",
    }
    identified_by = ("external_id", "email")
    filterset_class = CustomerFilters
    search_fields = ["name", "email", "external_id", "account__name"]

    @extend_schema(request=ForgetSerializer, responses=ErasureSerializer)
    @action(detail=True, methods=["post"], needs={"POST": "surveys.forget_customer"})
    def forget(self, request, pk: str) -> Response:
        """Forget the customer for good: name, addresses, comments and notes go, scores stay with
        their month. The key must belong to an administrator. Afterwards there is no such customer.
        """
        given = ForgetSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        reason = given.validated_data["reason"]
        erasure = forget(self.get_object(), request.user, reason, timezone.now())
        return Response(ErasureSerializer(erasure).data)
