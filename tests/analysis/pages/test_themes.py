import csv
import io

import pytest
from django.urls import reverse

from analysis import phrases
from analysis.fold import fold_all
from analysis.models import Mention, Reading, Theme, ThemeState
from surveys.models import Kind
from tests.analysis.rows import answer, at
from tests.conftest import survey_of

DAY = at("2026-03-05 09:00")
ADDRESS = "/admin/themes/"
QUERIES = 11  # session, user, surveys, their newest month and products, and the report's six


@pytest.fixture
def reader(client, product):
    client.force_login(product)
    return client


def page(reader, **filters) -> str:
    response = reader.get(ADDRESS, filters)
    assert response.status_code == 200
    return response.text.replace(phrases.NBSP, " ")


def learnt(survey) -> None:
    ThemeState.objects.get_or_create(
        survey=survey,
        defaults={"state": {}, "arrays": b"", "theme_ids": [], "comments": 1, "fitted_at": DAY},
    )


def theme(survey, label, comments, score=None, **fields) -> Theme:
    learnt(survey)
    one = Theme.objects.create(survey=survey, label=label, keywords=["van", "day"], born_at=DAY)
    for comment in comments:
        response = answer(survey, DAY, score, comment=comment, **fields)
        Reading.objects.create(response=response, digest="-", says_nothing=False)
        Mention.objects.create(theme=one, response=response, confidence=0.5, is_main=True)
    return one


def test_a_theme_is_shown_with_its_figures_and_quotes(reader, nps):
    theme(nps, "Late parcels", [f"The parcel came late {n}" for n in range(12)], score=2)
    theme(nps, "Kind staff", [f"The staff are kind {n}" for n in range(28)], score=10)
    text = page(reader, survey=nps.pk, month="2026-03")
    assert "40 of 40 (100 %, 91–100 %)" in text
    assert text.index("Kind staff") < text.index("Late parcels")
    for figure in ("30 %", "18–45 %", "12 comments", "−100", "−60.0", "van, day"):
        assert figure in text
    assert "<bdi>The parcel came late 11</bdi>" in text


def test_comments_are_text_and_name_nobody(reader, nps, customer):
    hostile = "<img src=x onerror=alert(1)> {{ 7|add:7 }} \u202e Ines Okafor, ines@mill.example"
    theme(nps, "<i>Late</i>", [hostile], customer=customer)
    text = page(reader, survey=nps.pk, month="2026-03")
    assert "&lt;img src=x onerror=alert(1)&gt; {{ 7|add:7 }}" in text
    assert "<i>Late</i>" not in text
    for secret in ("<img src=x", "Okafor", "ines@mill.example"):
        assert secret not in text


def test_without_a_survey_it_says_what_to_do(reader, db):
    assert "Themes are found in the comments of a survey." in page(reader)


def test_before_the_first_night_it_says_what_to_do(reader, nps):
    answer(nps, DAY, 2, comment="Late")
    text = page(reader)
    assert "No themes yet" in text
    assert "manage.py learn" in text


def test_a_month_without_comments_says_so(reader, nps):
    theme(nps, "Late", ["Late"])
    assert "Nobody wrote a comment in this month." in page(reader, month="2025-11")


def test_the_survey_with_themes_and_its_newest_month_come_up_first(reader, nps):
    survey_of(Kind.CSAT, name="A survey without comments")
    theme(nps, "Late parcels", ["The parcel came late"])
    text = page(reader)
    assert "Late parcels" in text
    assert "March 2026" in text


def test_comments_without_scores_show_no_score(reader, nps):
    theme(nps, "Late", ["The parcel came late"])
    assert "Impact" not in page(reader, survey=nps.pk, month="2026-03")


@pytest.mark.parametrize("name", ["survey", "month"])
@pytest.mark.parametrize("wish", ["nonsense", "\0", "9" * 5000, "-1", "2999-01"])
def test_a_wrong_wish_is_left_out_and_said_so(reader, nps, name, wish):
    theme(nps, "Late parcels", ["The parcel came late"])
    text = page(reader, **{name: wish})
    assert f"There is no such {name}, so that filter was left out." in text
    assert "Late parcels" in text


def test_the_file_holds_the_figures_of_the_page_and_runs_nothing(reader, nps):
    theme(nps, "=1+1", ["@SUM(A1) was what I saw on the screen"] * 1, score=2)
    response = reader.get(reverse("analysis:themes-csv"), {"month": "2026-03"})
    (row,) = csv.DictReader(io.StringIO(response.text.removeprefix("\ufeff"), newline=""))
    assert (row["theme"], row["comments"], row["n"]) == ("'=1+1", "1", "1")
    assert (row["share"], row["score"], row["impact"]) == ("", "", "")
    assert row["newest_quote"] == "'@SUM(A1) was what I saw on the screen"


def test_the_file_of_no_survey_is_a_header(reader, db):
    assert reader.get(reverse("analysis:themes-csv")).text.count("\n") == 1


@pytest.mark.parametrize("rows", [1, 3])
def test_queries_do_not_grow(reader, nps, rows, django_assert_num_queries):
    for number in range(rows):
        theme(nps, f"Theme {number}", [f"The parcel came late {n}" for n in range(rows)], score=3)
    with django_assert_num_queries(QUERIES):
        page(reader, survey=nps.pk, month="2026-03")


def test_themes_can_be_narrowed_down_to_a_product(reader, nps):
    theme(nps, "Late parcels", [f"The parcel came late {n}" for n in range(12)], product="Delivery")
    theme(nps, "Kind staff", [f"The staff are kind {n}" for n in range(3)], product="Support")
    answer(nps, at("2026-03-10 09:00"), 9, product="Delivery")
    fold_all()
    text = page(reader, survey=nps.pk, month="2026-03", product="Delivery")
    assert "12 of 12" in text
    assert "<bdi>Delivery</bdi>, March 2026" in text
    assert "Kind staff" not in text
    everything = page(reader, survey=nps.pk, month="2026-03")
    assert "15 of 15" in everything
    assert "Kind staff" in everything
