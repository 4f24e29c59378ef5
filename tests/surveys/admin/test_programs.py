"""Surveys, from a name to mails on their way."""

import pytest
from django.urls import reverse

from surveys.loop import ask
from surveys.models import Kind, Message, Survey


def post(client, name, /, *args, **data):
    return client.post(reverse(f"admin:surveys_{name}", args=args), data)


@pytest.mark.parametrize("kind", Kind.values)
def test_a_new_survey_can_be_launched_in_a_minute(signed_in, manager, customer, kind, now):
    client = signed_in(manager)
    said = post(client, "survey_add", name="New", kind=kind, language="en", valid_days=30,
                is_open="on")  # fmt: skip
    survey = Survey.objects.get()
    assert said.url == reverse("admin:surveys_survey_change", args=[survey.pk])
    post(client, "wave_add", survey=survey.pk, name="First", spread_days=1, at_once="on")
    post(client, "wave_launch", survey.waves.get().pk)
    ask.plan(now)
    assert Message.objects.get(kind="invitation").invitation.customer == customer


def test_the_kind_stays_once_somebody_has_answered(signed_in, manager, nps, task):
    page = signed_in(manager).get(reverse("admin:surveys_survey_change", args=[nps.pk]))
    assert "kind" not in page.context["adminform"].form.fields
