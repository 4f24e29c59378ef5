"""Answers that were given elsewhere come in by the same verb, and under the same rules."""

import pytest
from django.utils import timezone

from surveys.loop import ask
from surveys.models import DEADLINE, OutreachTask, Response
from tests.surveys.api.conftest import caller_for, said

pytestmark = pytest.mark.django_db
RESPONSES = "/api/v1/responses/"


@pytest.fixture
def invitation(nps, customer):
    return ask.invite(nps, [customer], "call:1", timezone.now())[0]


def test_a_detractor_on_the_phone_gets_a_task_like_any_other(writer, invitation, alice):
    body = {"invitation": invitation.pk, "score": 3, "comment": "It came broken."}
    stored = writer.post(RESPONSES, body)
    assert (stored.status_code, stored.json()["band"]) == (201, "detractor")
    task = OutreachTask.objects.get(pk=stored.json()["task"])
    assert (task.owner, task.due_at - task.started_at) == (alice, DEADLINE)


def test_a_second_answer_changes_nothing(writer, invitation):
    first = writer.post(RESPONSES, {"invitation": invitation.pk, "score": 3})
    again = writer.post(RESPONSES, {"invitation": invitation.pk, "score": 9})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()


@pytest.mark.parametrize("score", [-1, 11, 5.5, True, None, "5", "٥", [5], {"a": 1}, 2**70])
def test_what_is_not_on_the_scale_is_refused(writer, invitation, score):
    refused = writer.post(RESPONSES, {"invitation": invitation.pk, "score": score})
    assert (refused.status_code, set(said(refused)["fields"])) == (400, {"score"})
    assert not Response.objects.exists()


@pytest.mark.parametrize("name", ["band", "verdict", "answered_at", "survey", "source"])
def test_nothing_but_the_answer_can_be_set(writer, invitation, name):
    body = {"invitation": invitation.pk, "score": 3, name: "person"}
    assert set(said(writer.post(RESPONSES, body))["fields"]) == {name}


def test_an_expired_invitation_is_a_conflict(writer, invitation):
    invitation.expires_at = timezone.now()
    invitation.save()
    refused = writer.post(RESPONSES, {"invitation": invitation.pk, "score": 3})
    assert (refused.status_code, said(refused)["message"]) == (409, "This survey has ended.")


def test_account_managers_and_reading_keys_answer_for_nobody(alice, reader, invitation):
    for caller in (caller_for(alice), reader):
        refused = caller.post(RESPONSES, {"invitation": invitation.pk, "score": 10})
        assert refused.status_code == 403
    assert not Response.objects.exists()
