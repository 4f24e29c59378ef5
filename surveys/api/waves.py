"""/waves/: the rounds of invitations, and how each is going."""

from __future__ import annotations

from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.viewsets import GenericViewSet

from surveys.api.fields import StrictModelSerializer
from surveys.api.programs import SurveyReference
from surveys.api.rows import METHODS
from surveys.loop import manners, waves
from surveys.models import Survey, Wave


class ProgressSerializer(serializers.Serializer):
    """Customers, counted."""

    audience = serializers.IntegerField()
    decided = serializers.IntegerField()
    decisions = serializers.DictField(child=serializers.IntegerField())
    throttled_by = serializers.DictField(child=serializers.IntegerField(), source="throttles")
    not_asked = serializers.SerializerMethodField(
        help_text="A sentence, such as “412 not asked: throttled 300, suppressed 80, no address 32”"
    )
    mails = serializers.DictField(
        child=serializers.IntegerField(), help_text="Invitations by the state of their mail."
    )
    links_given = serializers.IntegerField(
        source="given", help_text="Invitations whose link was handed over."
    )
    bounced = serializers.IntegerField()
    failed = serializers.IntegerField()
    reminded = serializers.IntegerField()
    answered = serializers.IntegerField()

    def get_not_asked(self, progress: waves.Progress) -> str:
        return manners.not_asked(progress.decisions)


class WaveSerializer(StrictModelSerializer):
    survey = SurveyReference(read_only=True)

    class Meta:
        model = Wave
        fields = ["id", "name", "survey", "product", "channel", "state", "spread_days",
                  "launched_at"]  # fmt: skip
        read_only_fields = fields


class WaveWithProgressSerializer(WaveSerializer):
    progress = serializers.SerializerMethodField(help_text="Null before the launch.")

    class Meta(WaveSerializer.Meta):
        fields = [*WaveSerializer.Meta.fields, "progress"]
        read_only_fields = fields

    @extend_schema_field(ProgressSerializer(allow_null=True))
    def get_progress(self, wave: Wave) -> dict | None:
        if wave.state == Wave.State.DRAFT:
            return None
        return ProgressSerializer(waves.progress(wave)).data


class WaveFilters(filters.FilterSet):
    survey = filters.ModelChoiceFilter(queryset=Survey.objects.all())
    product = filters.CharFilter(
        field_name="product_asked", help_text="The wave's own, or else that of its survey."
    )

    class Meta:
        model = Wave
        fields = ["state", "channel"]


class Waves(ListModelMixin, RetrieveModelMixin, GenericViewSet):
    """Rounds of invitations. They belong to the whole company; one by one they tell how they go."""

    queryset = Wave.objects.with_product().select_related("survey")
    http_method_names = METHODS
    needs = {"GET": "surveys.view_wave"}
    filterset_class = WaveFilters

    def get_serializer_class(self):
        return WaveWithProgressSerializer if self.action == "retrieve" else WaveSerializer
