"""/api/v1/report/: the monthly figures, for a dashboard elsewhere."""

from __future__ import annotations

from django.urls import re_path
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from analysis.measures.closure import Closure
from analysis.months import Month
from analysis.report import Filters, figures
from surveys.api.fields import Moment
from surveys.api.filters import refuse_unknown
from surveys.models import GOAL, Survey


class WishSerializer(serializers.Serializer):
    month = serializers.CharField(
        required=False, help_text="Such as 2026-03; the newest with elapsed deadlines if left out."
    )
    survey = serializers.PrimaryKeyRelatedField(queryset=Survey.objects.all(), required=False)
    product = serializers.CharField(required=False, allow_blank=True, max_length=80)
    segment = serializers.CharField(required=False, allow_blank=True, max_length=60)
    region = serializers.CharField(required=False, allow_blank=True, max_length=60)

    def validate_month(self, text: str) -> Month:
        try:
            return Month.parse(text)
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from error

    def validate_survey(self, survey: Survey) -> int:
        return survey.pk


class ScoreSerializer(serializers.Serializer):
    value = serializers.FloatField(allow_null=True, help_text="Null where n is too small.")
    low = serializers.FloatField(allow_null=True, help_text="Of the 95 % interval.")
    high = serializers.FloatField(allow_null=True)
    n = serializers.IntegerField()


class ClosureSerializer(serializers.Serializer):
    rate = serializers.SerializerMethodField(
        help_text="Share, 0 to 1, of n reached within 72 hours. Null where n is too small."
    )
    low = serializers.FloatField(source="interval.low", default=None, allow_null=True)
    high = serializers.FloatField(source="interval.high", default=None, allow_null=True)
    n = serializers.IntegerField(help_text="Detractors whose 72 hours have elapsed.")
    contacted_in_time = serializers.IntegerField()
    late = serializers.IntegerField()
    overdue = serializers.IntegerField()
    not_yet_due_contacted = serializers.IntegerField()
    not_yet_due_open = serializers.IntegerField()
    withdrawn = serializers.IntegerField()

    def get_rate(self, closure: Closure) -> float | None:
        return closure.rate if closure.shows_percent else None


class NoTaskSerializer(serializers.Serializer):
    imported = serializers.IntegerField()
    anonymous = serializers.IntegerField()
    customer_unknown = serializers.IntegerField(source="invited")


class SurveyFiguresSerializer(serializers.Serializer):
    id = serializers.IntegerField(source="survey.pk")
    name = serializers.CharField(source="survey.name")
    kind = serializers.CharField(source="survey.kind")
    score = ScoreSerializer(help_text="NPS in -100 to 100, CSAT and CES in 0 to 1.")
    response_rate = ScoreSerializer(
        help_text="0 to 1; n are the invitations that went out or were handed over as a link."
    )
    anonymous_score = ScoreSerializer(
        help_text="Of answers by open links, which are in no other figure of the survey."
    )


class MonthSerializer(serializers.Serializer):
    month = serializers.CharField()
    closure = ClosureSerializer()
    detractors_without_task = NoTaskSerializer(source="no_task")
    response_rate = ScoreSerializer()
    surveys = SurveyFiguresSerializer(many=True)


class ReportSerializer(serializers.Serializer):
    as_of = Moment()
    goal = serializers.SerializerMethodField(help_text="What the closure rate should reach.")
    months = MonthSerializer(many=True, help_text="Twelve, the chosen one last.")

    def get_goal(self, found: object) -> float:
        return GOAL


class Report(APIView):
    """Closure, scores and response rates of twelve months."""

    http_method_names = ["get", "head"]
    needs = {"GET": "analysis.view_report"}

    @extend_schema(parameters=[WishSerializer], responses=ReportSerializer)
    def get(self, request) -> Response:
        refuse_unknown(request.query_params, WishSerializer().fields)
        wish = WishSerializer(data=request.query_params.dict())
        wish.is_valid(raise_exception=True)
        found = figures(Filters(**wish.validated_data), timezone.now())
        return Response(ReportSerializer(found).data)


urlpatterns = [re_path(r"^report/?$", Report.as_view())]
