"""Real workers that are killed while they fold: nothing is lost, nothing is counted twice.

KILLS=20 here; `make fold-kills` kills 200.
"""

import os
import subprocess
import sys
import time
from datetime import timedelta

import pytest
from django.db.models import Sum

from analysis import fold
from analysis.rollups import AnswerDay, Stale
from surveys.models import Response
from tests.analysis.rows import answer, at
from tests.analysis.test_fold import rows
from tests.faults.conftest import ROOT, environment
from tests.waiting import eventually

KILLS = int(os.environ.get("KILLS", "20"))
FIRST = at("2000-01-01 12:00")  # and on for 27 years
PAUSE = 0.008  # seconds between answers

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(0)]


def lead_through(nps, customer, *options: str) -> int:
    """Answers come in and change while workers die; each on a day of its own, so that no later
    count of the same day makes up for a lost one. Returns how many came in."""
    arguments = [sys.executable, "-m", "tests.faults.folder", str(KILLS), *options]
    nursery = subprocess.Popen(arguments, cwd=ROOT, env=os.environ | environment())
    n = 0
    while nursery.poll() is None:
        one = answer(nps, FIRST + timedelta(days=n), 9, customer=customer)
        if n % 3 == 0:
            Response.objects.filter(pk=one.pk).update(score=0, band="detractor")
        n += 1
        time.sleep(PAUSE)
    assert nursery.returncode == 0
    return n


def fold_the_rest() -> None:
    """The server ends a dead worker's session, and its lock with it, in its own time."""
    assert eventually(lambda: (fold.fold_all(), Stale.objects.count())[1] == 0)


def test_killed_workers_lose_nothing_and_count_nothing_twice(nps, customer):
    came_in = lead_through(nps, customer)
    fold_the_rest()
    counted = AnswerDay.objects.aggregate(good=Sum("promoters"), bad=Sum("detractors"))
    assert counted["good"] + counted["bad"] == came_in == Response.objects.count()
    found = rows()
    fold.rebuild()
    assert rows() == found


def test_without_the_transaction_notes_are_lost(nps, customer):
    """The control."""
    came_in = lead_through(nps, customer, "--careless")
    fold_the_rest()
    counted = AnswerDay.objects.aggregate(good=Sum("promoters"), bad=Sum("detractors"))
    assert (counted["good"] or 0) + (counted["bad"] or 0) < came_in
