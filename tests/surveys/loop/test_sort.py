from datetime import timedelta

import pytest
from django.db import IntegrityError

from surveys.loop import answer, ask, sort
from surveys.models import Kind, OutreachTask, Response
from tests.conftest import correct, survey_of


@pytest.mark.parametrize(
    ("kind", "bands"),
    [
        ("nps", "ddddddd" + "pp" + "PP"),
        ("csat", "-" + "dd" + "p" + "PP"),
        ("ces", "-" + "ddd" + "p" + "PPP"),
    ],
)
def test_every_score_of_every_scale_has_its_band(kind, bands):
    names = {"d": "detractor", "p": "passive", "P": "promoter"}
    expected = {score: names[letter] for score, letter in enumerate(bands) if letter in names}
    assert {score: sort.band(kind, score) for score in expected} == expected


@pytest.mark.parametrize(
    ("kind", "score"), [("nps", -1), ("nps", 11), ("csat", 0), ("csat", 6), ("ces", 0), ("ces", 8)]
)
def test_a_score_outside_its_scale_is_refused(kind, score):
    with pytest.raises(sort.ScoreOutOfRange, match="is not on the scale from"):
        sort.band(kind, score)


@pytest.mark.parametrize(("score", "band"), [(11, "promoter"), (9, "detractor"), (3, "")])
def test_the_database_refuses_a_wrong_score_or_band(nps, now, score, band):
    with pytest.raises(IntegrityError, match="band_follows_from_score"):
        Response.objects.create(
            survey=nps, kind="nps", source="imported", score=score, band=band, answered_at=now
        )


@pytest.mark.django_db(transaction=True)
def test_the_database_refuses_another_kind_than_the_surveys(nps, now):
    with pytest.raises(IntegrityError, match="response_kind_follows_survey"):
        Response.objects.create(
            survey=nps, kind="csat", source="imported", score=1, band="detractor", answered_at=now
        )


@pytest.fixture
def loyal(nps):
    """A survey that looks at loyalty."""
    nps.task_on_loyalty_drop = True
    nps.save()
    return nps


def answered(survey, customer, now, *scores: int, days: int = 100) -> OutreachTask | None:
    """The task that the last of these answers opened; they lie `days` apart."""
    for number, score in enumerate(scores):
        then = now + timedelta(days=days * number)
        [invitation] = ask.invite(survey, [customer], f"event:{then}", then)
        response = answer.press(invitation, score, then).response
    return OutreachTask.objects.filter(response=response).first()


@pytest.mark.parametrize(
    ("before", "after", "cause"),
    [
        (9, 8, "loyalty_drop"),
        (10, 7, "loyalty_drop"),
        (9, 6, "detractor"),
        (8, 7, None),
        (10, 9, None),
        (7, 9, None),
    ],
)
def test_a_drop_in_loyalty_opens_a_task_where_the_survey_says_so(
    loyal, customer, now, before, after, cause
):
    task = answered(loyal, customer, now, before, after)
    assert (task and task.cause) == cause


def test_it_does_so_on_other_scales_as_well(customer, now):
    ces = survey_of(Kind.CES, task_on_loyalty_drop=True)
    assert answered(ces, customer, now, 7, 4).cause == "loyalty_drop"


def test_by_default_loyalty_opens_nothing(nps, customer, now):
    """The control."""
    assert answered(nps, customer, now, 10, 7) is None


def test_only_the_last_counted_answer_of_the_family_and_kind_is_compared(loyal, customer, now):
    assert answered(loyal, customer, now, 10, 8, 7) is None
    Response.objects.update(verdict="machine")
    later = now + timedelta(days=900)
    assert answered(loyal, customer, later, 7) is None


def test_another_familys_answer_is_not_compared(loyal, customer, now):
    answered(survey_of(Kind.NPS, name="Other"), customer, now, 10)
    assert answered(loyal, customer, now + timedelta(days=200), 7) is None


def test_a_loyal_customers_task_follows_a_correction(loyal, customer, now):
    task = answered(loyal, customer, now, 10, 7)
    correct(task.response, 9, "", task.started_at + timedelta(hours=1))
    task.refresh_from_db()
    assert (task.state, task.withdrawn_reason) == (
        "withdrawn",
        "The customer changed the score from 7 to 9.",
    )
