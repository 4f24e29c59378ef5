"""The press in one statement writes what the verb writes, and leaves to it what is not plain."""

from dataclasses import dataclass
from datetime import timedelta

import pytest

from surveys.loop import answer, ask
from surveys.loop.press import press
from surveys.models import (
    Account,
    AuditEntry,
    Customer,
    Invitation,
    Kind,
    Message,
    OutreachTask,
    Response,
    ResponseVersion,
    Visit,
    client_hash,
)
from tests.conftest import survey_of

pytestmark = pytest.mark.django_db

CLIENT = client_hash("192.0.2.1")
WRITTEN = (Response, ResponseVersion, OutreachTask, AuditEntry, Message)


def pressed(invitation, score, now, comment="", client=CLIENT):
    return press(invitation.token(), score, comment, "en", client, now)


@dataclass
class Rows:
    """All rows of an invitation, with names in place of what differs from row to row."""

    invitation: Invitation

    def written(self) -> list[dict]:
        response = Response.objects.filter(invitation=self.invitation).first()
        task = OutreachTask.objects.filter(response=response).first()
        ids = {self.invitation.pk: "invitation", self.invitation.customer_id: "customer"}
        names = {"response_id": "response", "task_id": "task", "noun_id": "noun"}
        found = [
            *Response.objects.filter(invitation=self.invitation).values(),
            *ResponseVersion.objects.filter(response=response).values(),
            *OutreachTask.objects.filter(response=response).values(),
            *AuditEntry.objects.filter(noun="outreachtask", noun_id=task and task.pk).values(),
            *Message.objects.filter(task=task, kind="task_opened").values(),
        ]
        for row in found:
            row.pop("id")
            row.pop("dedupe_key", None)
            for name in row:
                if name in ("invitation_id", "customer_id"):
                    row[name] = ids.get(row[name])
                elif name in names and row[name] is not None:
                    row[name] = names[name]
        return found


@pytest.mark.parametrize("comment", ["", "It never came.\nTwice."])
@pytest.mark.parametrize("score", [0, 6, 7, 10])
@pytest.mark.parametrize("segment", ["", "Small business"])
def test_it_writes_what_the_verb_writes(nps, account, now, score, comment, segment):
    people = [
        Customer.objects.create(account=account, email=f"{n}@lakeside.example", segment=segment)
        for n in range(2)
    ]
    quick, plain = ask.invite(nps, people, "event:1", now)
    assert pressed(quick, score, now, comment).response is not None
    answer.press(plain, score, now, comment=comment)
    written = Rows(quick).written()
    assert written == Rows(plain).written()
    assert len(written) == (5 if score <= 6 else 2)


@pytest.mark.parametrize(("kind", "worst"), [(Kind.CSAT, 2), (Kind.CES, 3)])
@pytest.mark.parametrize("owned", [True, False])
def test_it_does_so_for_every_kind_and_without_an_owner(account, now, kind, worst, owned):
    home = account if owned else Account.objects.create(name="Nobody's")
    survey = survey_of(kind)
    for score in kind.scale:
        people = [
            Customer.objects.create(account=home, email=f"{score}-{n}@x.example") for n in range(2)
        ]
        quick, plain = ask.invite(survey, people, "event:1", now)
        pressed(quick, score, now)
        answer.press(plain, score, now)
        assert Rows(quick).written() == Rows(plain).written()
        assert OutreachTask.objects.filter(response__invitation=quick).exists() == (score <= worst)


def test_what_it_returns_is_the_answer(nps, customer, now):
    [invitation] = ask.invite(nps, [customer], "event:1", now)
    found = pressed(invitation, 3, now, "Late.")
    stored = Response.objects.get()
    assert {field.attname: getattr(found.response, field.attname) for field in
            Response._meta.concrete_fields} == Response.objects.values().get()  # fmt: skip
    assert (found.asked.invitation, found.response) == (invitation, stored)
    assert found.asked.survey == nps


def test_an_unknown_token_is_none(nps, now):
    assert press("a" * 26, 3, "", "en", CLIENT, now) is None


@pytest.fixture
def invitation(nps, customer, now):
    return ask.invite(nps, [customer], "event:1", now)[0]


def expired(invitation, now):
    invitation.expires_at = now
    invitation.save()


def closed(invitation, now):
    invitation.survey.is_open = False
    invitation.survey.save()


def answered(invitation, now):
    answer.give(invitation, 9, "", now)


def pressed_by_a_machine(invitation, now):
    answer.press(invitation, 9, now, signs=["decoy"])


def looks_at_loyalty(invitation, now):
    invitation.survey.task_on_loyalty_drop = True
    invitation.survey.save()


def followed(invitation, now):
    visit(invitation, now - timedelta(seconds=119), client_hash("198.51.100.7"))


def followed_by_the_same_client(invitation, now):
    visit(invitation, now - timedelta(hours=23), CLIENT)


def visit(invitation, at, client, what="hidden_link"):
    Visit.objects.create(invitation=invitation, at=at, what=what, client=client)


@pytest.mark.parametrize(
    "odd",
    [expired, closed, answered, pressed_by_a_machine, looks_at_loyalty, followed,
     followed_by_the_same_client],
)  # fmt: skip
def test_what_is_not_plain_is_left_to_the_verb(invitation, now, odd):
    odd(invitation, now)
    before = [model.objects.count() for model in WRITTEN]
    found = pressed(invitation, 8, now)
    assert (found.response, found.asked.invitation) == (None, invitation)
    assert [model.objects.count() for model in WRITTEN] == before
    assert found.asked.fell_for_link == (odd in (followed, followed_by_the_same_client))


def test_a_score_off_the_scale_is_left_to_the_verb(invitation, now):
    assert pressed(invitation, 11, now).response is None


def test_a_detractor_needs_no_look_at_loyalty(invitation, now):
    looks_at_loyalty(invitation, now)
    assert pressed(invitation, 6, now).response is not None


def test_old_and_other_visits_hold_nobody_up(invitation, now):
    """The control of the hidden link."""
    visit(invitation, now - timedelta(seconds=121), client_hash("198.51.100.7"))
    visit(invitation, now - timedelta(hours=25), CLIENT)
    visit(invitation, now, CLIENT, what="opened")
    assert pressed(invitation, 8, now).response is not None


def test_words_come_in_the_invitations_language_then_the_readers(nps, customer, now):
    [invitation] = ask.invite(nps, [customer], "event:1", now)
    assert pressed(invitation, 8, now).asked.wording == nps.wordings.get()
