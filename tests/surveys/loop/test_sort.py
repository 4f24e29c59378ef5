import pytest
from django.db import IntegrityError

from surveys.loop import sort
from surveys.models import Response


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
