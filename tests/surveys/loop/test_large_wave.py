"""`make bench-wave` plans a million; here it is two thousand, of the same people."""

import pytest
from django.utils import timezone

from surveys.loop import ask, manners
from surveys.models import Invitation
from tests.bench import wave as bench


@pytest.fixture
def wave(db, monkeypatch):
    monkeypatch.setattr(bench, "CUSTOMERS", 2_000)
    monkeypatch.setattr(bench, "ACCOUNTS", 100)
    return bench.fill()


def test_everybody_is_decided_on_once_and_for_a_reason(wave, administrator):
    ask.launch(wave, administrator, timezone.now())
    while ask.plan(timezone.now(), batch=300, at_a_time=700):
        pass
    assert bench.twice(wave) == 0
    decided = wave.invitations.order_by().values_list("decision", flat=True)
    told = {one: list(decided).count(one) for one in Invitation.Decision.values}
    assert (told["no_address"], told["suppressed"]) == (40, 20)
    assert told["throttled"] + told["ask"] == 1_940
    assert 0 < told["throttled"] < 200  # of whom some have their turn when the week is over
    assert manners.not_asked(told).startswith(f"{2_000 - told['ask']} not asked")
