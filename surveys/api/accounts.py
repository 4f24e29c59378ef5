"""/accounts/: the companies whose people we ask, and who looks after each."""

from __future__ import annotations

from rest_framework import serializers

from surveys.api.fields import Reference, StrictModelSerializer, Whole
from surveys.api.filters import YEARS
from surveys.api.upsert import FedRows, upserts
from surveys.models import Account, User


class AccountReference(Reference):
    id = Whole(required=False)
    external_id = serializers.CharField(required=False, allow_null=True)
    name = serializers.CharField(required=False)

    queryset = Account.objects.all()
    noun = "account"


class AccountSerializer(StrictModelSerializer):
    owner = serializers.SlugRelatedField(
        slug_field="email",
        queryset=User.objects.filter(is_active=True),
        required=False,
        allow_null=True,
        help_text="The e-mail address of the colleague who looks after the account.",
    )

    class Meta:
        model = Account
        fields = ["id", "external_id", "name", "owner", "segment", "region", "revenue", "renews_on"]
        # Uniqueness is what an account is found again by; the database guards it.
        extra_kwargs = {"name": {"validators": []}, "external_id": {"validators": []}}

    def validate_external_id(self, value: str | None) -> str | None:
        return value or None

    def validate_renews_on(self, value):
        if value and value.year not in YEARS:
            raise serializers.ValidationError(f"Give a year from {YEARS[0]} to {YEARS[-1]}.")
        return value


@upserts(AccountSerializer)
class Accounts(FedRows):
    """The companies whose people are asked, and who looks after each."""

    queryset = Account.objects.select_related("owner")
    serializer_class = AccountSerializer
    needs = {
        "GET": "surveys.view_account",
        "POST": "surveys.add_account",
        "PATCH": "surveys.change_account",
    }
    identified_by = ("external_id", "name")
    filterset_fields = ["segment", "region", "external_id"]
    search_fields = ["name", "external_id"]
