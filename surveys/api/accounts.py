"""/accounts/: the companies whose people we ask, and who looks after each."""

from __future__ import annotations

from django.utils import timezone
from rest_framework import serializers

from surveys.api.fields import Reference, StrictModelSerializer, Whole
from surveys.api.filters import YEARS
from surveys.api.upsert import FedRows, upserts
from surveys.loop import own
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

    move_open_tasks = serializers.BooleanField(
        write_only=True,
        required=False,
        help_text="When the owner changes: whether the open tasks of the owner before, and those "
        "that are nobody's, move to the new one. Left out: they do.",
    )

    class Meta:
        model = Account
        fields = ["id", "external_id", "name", "owner", "segment", "region", "revenue",
                  "renews_on", "move_open_tasks"]  # fmt: skip
        # Uniqueness is what an account is found again by; the database guards it.
        extra_kwargs = {"name": {"validators": []}, "external_id": {"validators": []}}

    def create(self, validated_data):
        validated_data.pop("move_open_tasks", None)
        return super().create(validated_data)

    def update(self, instance, validated_data):
        moves = validated_data.pop("move_open_tasks", own.TASKS_MOVE_ALONG)
        before = instance.owner_id
        account = super().update(instance, validated_data)
        if moves and account.owner_id != before:
            own.follow(account, before, timezone.now(), self.context["request"].user)
        return account

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
