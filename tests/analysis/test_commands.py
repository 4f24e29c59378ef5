from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from analysis.fold import fold_all
from analysis.models import Mention
from analysis.phrases import NBSP
from tests.analysis.rows import answer, at, detractor

ABOUT = ["The parcel", "My delivery", "The courier", "Our box"]
SAID = ["came late", "arrived a week late", "never came"]


def run(*command) -> str:
    out = StringIO()
    call_command(*command, stdout=out)
    return out.getvalue().replace(NBSP, " ")


@pytest.fixture
def comments(nps):
    for about in ABOUT:
        for said in SAID:
            answer(nps, timezone.now() - timedelta(days=1), comment=f"{about} {said}")


def test_learn_says_what_it_read_and_how_long_it_took(comments):
    said = run("learn")
    assert "Relationship ..." in said
    assert "12 comments read (all anew), 0 say nothing" in said
    assert said.rstrip().endswith(" s")
    assert Mention.objects.count() == 12
    assert "0 comments read (only the new ones)" in run("learn", "--survey", "Relationship")
    assert "12 comments read (all anew)" in run("learn", "--refit")


def test_learn_says_what_is_missing(nps):
    assert "left out: “Relationship” has 0 comments; themes need 10." in run("learn")
    with pytest.raises(CommandError, match="There is no survey “Nps”"):
        run("learn", "--survey", "Nps")


def test_learn_in_an_empty_house(db):
    assert "There is no survey yet" in run("learn")


def test_report_prints_the_figures_of_the_month(nps):
    for contacted in [5] * 37 + [80] + [None] * 3:
        detractor(nps, at("2026-03-05 09:00"), contacted)
    fold_all()
    said = run("report", "--month", "2026-03")
    first, *rest = said.splitlines()
    assert first == (
        "Detractors contacted within 72 h, March 2026: 37 of 41 (90 %, 77–96 %); goal 95 %"
    )
    assert "  Overdue                        3" in rest
    assert rest[-1] == (
        "Relationship: NPS −100 −100 to −84 n 41; answered 41 of 41 (100 %, 91–100 %)"
    )


def test_report_refuses_what_is_no_month(db):
    with pytest.raises(CommandError, match="write it as 2026-03"):
        run("report", "--month", "March")
