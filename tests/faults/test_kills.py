"""Fault 9 in small: `make kills` runs ten thousand of the same."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def kills(number: int, **environment: str) -> dict[str, int]:
    """The last line of a run. It has a database with fsync and a mail server of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.kills"],
        cwd=ROOT,
        env=os.environ | {"KILLS": str(number)} | environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_in_200_random_kills_nothing_is_lost_and_nothing_comes_twice():
    found = kills(200)
    assert found.pop("in_doubt") > 0  # the kills did hit the moment that matters
    assert found == {"kills": 200, "lost": 0, "twice": 0, "unlisted": 0}


@pytest.mark.parametrize(
    ("strategy", "harm"), [("mark", "lost"), ("requeue", "twice"), ("silent", "unlisted")]
)
def test_the_same_kills_see_through_a_careless_sender(strategy, harm):
    assert kills(40, STRATEGY=strategy)[harm] > 0


def test_a_reaper_that_never_comes_is_seen_and_the_run_still_ends():
    found = kills(10, STRATEGY="idle", PATIENCE="3")
    assert found["unlisted"] > 0
    assert found["lost"] > 0  # claimed and not handed over, and nobody takes it up
