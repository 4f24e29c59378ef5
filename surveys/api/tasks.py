"""/tasks/: the outreach to detractors; the CRM reads the queue and reports what was done."""

from __future__ import annotations

import django_filters.rest_framework as filters
from django.db.models import Q
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from surveys.api.accounts import AccountReference
from surveys.api.customers import CustomerReference
from surveys.api.fields import StrictModelSerializer, StrictSerializer, Whole
from surveys.api.filters import TrueFalse
from surveys.api.rows import METHODS, Rows
from surveys.loop import close, reach_out
from surveys.models import Contact, OutreachTask, RootCause, database_now
from surveys.models import Response as Answer


class RootCauseSerializer(StrictModelSerializer):
    parent = serializers.CharField(source="parent.name", default=None, allow_null=True)

    class Meta:
        model = RootCause
        fields = ["id", "name", "parent"]
        read_only_fields = fields


class RootCauses(ListModelMixin, GenericViewSet):
    """The names that closing a task takes."""

    queryset = RootCause.objects.filter(is_active=True).select_related("parent")
    serializer_class = RootCauseSerializer
    http_method_names = METHODS
    needs = {"GET": "surveys.view_rootcause"}


class ContactSerializer(StrictModelSerializer):
    user = serializers.SlugRelatedField(slug_field="email", read_only=True)

    class Meta:
        model = Contact
        fields = [
            "id", "user", "channel", "outcome", "note", "reached", "logged_at", "claimed_at",
            "proven_at",
        ]  # fmt: skip
        read_only_fields = ["logged_at", "proven_at"]


class AnswerSerializer(StrictModelSerializer):
    class Meta:
        model = Answer
        fields = [
            "id", "survey", "kind", "score", "band", "comment", "product", "wants_contact",
            "contact_channel", "contact_time", "answered_at",
        ]  # fmt: skip
        read_only_fields = fields


class TaskSerializer(StrictModelSerializer):
    customer = CustomerReference(read_only=True)
    account = AccountReference(source="customer.account", read_only=True, allow_null=True)
    owner = serializers.SlugRelatedField(slug_field="email", read_only=True, allow_null=True)
    response = AnswerSerializer(read_only=True)
    root_cause = serializers.SlugRelatedField(slug_field="name", read_only=True, allow_null=True)
    contacts = ContactSerializer(many=True, read_only=True)
    overdue = serializers.SerializerMethodField(
        help_text="Open, and nobody has reached the customer by `due_at` or, after they denied "
        "that anybody got back, by `second_due_at`."
    )
    level = serializers.IntegerField(
        read_only=True,
        help_text="How far it was escalated: 0 not at all, 1 to the owner, 2 to the team lead, "
        "3 to the head, 4 to the executive.",
    )
    seen_at = serializers.DateTimeField(
        read_only=True,
        allow_null=True,
        help_text="When somebody who may work it first opened its page, since the answer or the "
        "denial.",
    )

    class Meta:
        model = OutreachTask
        fields = [
            "id", "cause", "state", "customer", "account", "owner", "response", "started_at",
            "due_at", "overdue", "level", "seen_at", "first_contact_at", "contacts",
            "snoozed_until", "snooze_reason", "closed_at", "root_cause", "outcome", "action",
            "denied_at", "second_due_at", "second_contact_at", "shift", "withdrawn_reason",
            "version",
        ]  # fmt: skip
        read_only_fields = fields

    def get_overdue(self, task: OutreachTask) -> bool:
        return task.is_overdue(self.context["now"])


class CloseSerializer(StrictSerializer):
    root_cause = serializers.SlugRelatedField(
        slug_field="name",
        queryset=RootCause.objects.filter(is_active=True),
        help_text="One of the names at /api/v1/root-causes/.",
    )
    outcome = serializers.ChoiceField(choices=OutreachTask.Outcome.choices)
    action = serializers.CharField(max_length=2_000, help_text="What was done about it.")
    version = Whole(
        required=False,
        max_value=2**31 - 1,
        help_text="The task's version you have seen; refused if it has changed.",
    )


class TaskFilters(filters.FilterSet):
    owner = filters.CharFilter(
        field_name="owner__email", lookup_expr="iexact", help_text="The owner's e-mail address."
    )
    product = filters.CharFilter(field_name="response__product")
    overdue = TrueFalse(method="by_deadline")

    class Meta:
        model = OutreachTask
        fields = ["state"]

    def by_deadline(self, tasks, name: str, wanted: bool):
        overdue = Q(pk__in=OutreachTask.objects.overdue(timezone.now()).values("pk"))
        return tasks.filter(overdue if wanted else ~overdue)


class Tasks(ListModelMixin, RetrieveModelMixin, Rows):
    """The outreach to detractors; the most urgent first."""

    queryset = OutreachTask.objects.select_related(
        "customer__account", "owner", "response", "root_cause"
    ).prefetch_related("contacts__user")
    serializer_class = TaskSerializer
    filterset_class = TaskFilters
    page_ordering = "due_at"
    needs = {"GET": "surveys.view_outreachtask"}

    def get_serializer_context(self) -> dict:
        return {**super().get_serializer_context(), "now": timezone.now()}

    @extend_schema(request=ContactSerializer, responses={201: ContactSerializer})
    @action(detail=True, methods=["post"], needs={"POST": "surveys.add_contact"})
    def contacts(self, request, pk: str) -> Response:
        """Log an attempt to reach the customer, made just now."""
        given = self._valid(ContactSerializer)
        contact = reach_out.log_contact(
            self.get_object(),
            request.user,
            given["channel"],
            given["outcome"],
            given.get("note", ""),
            database_now(),
            claimed_at=given.get("claimed_at"),
        )
        return Response(ContactSerializer(contact).data, status=201)

    @extend_schema(request=CloseSerializer, responses=TaskSerializer)
    @action(detail=True, methods=["post"], needs={"POST": "surveys.change_outreachtask"})
    def close(self, request, pk: str) -> Response:
        """End the outreach with its root cause, its outcome and what was done."""
        given = self._valid(CloseSerializer)
        closed = close.close(
            self.get_object(),
            request.user,
            given["root_cause"],
            given["outcome"],
            given["action"],
            database_now(),
            given.get("version"),
        )
        return Response(self.get_serializer(self.get_queryset().get(pk=closed.pk)).data)

    def _valid(self, of: type[serializers.Serializer]) -> dict:
        serializer = of(data=self.request.data, context=self.get_serializer_context())
        serializer.is_valid(raise_exception=True)
        return serializer.validated_data
