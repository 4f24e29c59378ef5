"""What Larkfield's account managers did about each detractor, up to now."""

import random
import tomllib
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import NamedTuple

from surveys.demo.comments import CAUSES

DEADLINE = timedelta(hours=72)

# Share of detractors reached in time, twelve months ago first, the current month last.
# Two colleagues were on holiday without cover in the eighth month; cover was arranged after that.
REACHED = (0.88, 0.89, 0.88, 0.90, 0.91, 0.90, 0.92, 0.91, 0.75, 0.88, 0.91, 0.93, 0.95)

OUTCOMES = {"recovered": 5, "improved": 4, "accepted": 3, "lost": 1}


class Step(NamedTuple):
    """One contact, as the account manager logged it; names as in `surveys.models.Contact`."""

    at: datetime
    channel: str
    outcome: str
    note: str


class Closing(NamedTuple):
    at: datetime
    cause: str
    action: str
    outcome: str


class Followup(NamedTuple):
    steps: tuple[Step, ...] = ()
    closing: Closing | None = None


@cache
def _phrases() -> dict[str, dict[str, list[str]]]:
    return tomllib.loads((Path(__file__).parent / "phrases" / "staff.toml").read_text("utf-8"))


def step(rng: random.Random, at: datetime, outcome: str, who: str, cause: str) -> Step:
    channel = {"met": "meeting", "replied": "email", "mail_sent": "email"}.get(outcome, "phone")
    note = rng.choice(_phrases()["notes"][outcome])
    return Step(at, channel, outcome, note.format(who=who, cause=CAUSES[cause].lower()))


def closing(rng: random.Random, at: datetime, cause: str, outcome: str = "") -> Closing:
    outcome = outcome or rng.choices(list(OUTCOMES), list(OUTCOMES.values()))[0]
    return Closing(at, cause, rng.choice(_phrases()["actions"][cause]), outcome)


def after(
    rng: random.Random, answered_at: datetime, in_time: bool, who: str, cause: str, now: datetime
) -> Followup:
    """The contacts and the closing of one detractor that have happened by `now`."""
    if not in_time and rng.random() < 0.25:
        return _never_reached(rng, answered_at, who, cause, now)
    hours = rng.triangular(2, 70, 20) if in_time else rng.triangular(75, 190, 85)
    reached_at = _in_working_hours(rng, answered_at, hours, latest=71 if in_time else 240)
    tries = rng.choices((0, 1, 2), (6, 3, 1))[0]
    span = reached_at - answered_at
    tried_at = sorted(
        _by_day(rng, answered_at + span * rng.uniform(0.15, 0.9), answered_at, reached_at)
        for _ in range(tries)
    )
    steps = [step(rng, at, _attempt(rng), who, cause) for at in tried_at]
    outcome = rng.choices(("spoke", "replied", "met", "refused"), (62, 26, 8, 4))[0]
    steps.append(step(rng, reached_at, outcome, who, cause))
    done_at = reached_at + timedelta(hours=min(0.3 + rng.expovariate(1 / 40), 240))
    done_at = _by_day(rng, done_at, reached_at, done_at + timedelta(days=1))
    return _until(now, steps, closing(rng, done_at, cause))


def _never_reached(
    rng: random.Random, answered_at: datetime, who: str, cause: str, now: datetime
) -> Followup:
    """Three attempts over ten days, then closed without a reply."""
    hours = (rng.uniform(5, 60), rng.uniform(80, 120), rng.uniform(150, 190))
    steps = [
        step(rng, answered_at + timedelta(hours=after), _attempt(rng), who, cause)
        for after in hours
    ]
    done_at = answered_at + timedelta(hours=rng.uniform(200, 240))
    return _until(now, steps, closing(rng, done_at, cause, "no_reply"))


def _until(now: datetime, steps: list[Step], end: Closing) -> Followup:
    return Followup(tuple(one for one in steps if one.at <= now), end if end.at <= now else None)


def _attempt(rng: random.Random) -> str:
    outcomes = ("left_message", "no_answer", "mail_sent", "wrong_person")
    return rng.choices(outcomes, (4, 4, 3, 1))[0]


def _in_working_hours(rng: random.Random, start: datetime, hours: float, latest: float) -> datetime:
    """`start` plus about so many hours, moved to a working hour (UTC) where one is near."""
    for _ in range(12):
        at = start + timedelta(hours=hours)
        if at.weekday() < 6 and 8 <= at.hour < 18:
            return at
        hours = min(latest, max(1.0, hours + rng.uniform(-8, 14)))
    return start + timedelta(hours=hours)


def _by_day(rng: random.Random, at: datetime, after: datetime, before: datetime) -> datetime:
    """The same date at a working hour (UTC), where that lies between the two."""
    by_day = at.replace(hour=rng.randint(8, 17), minute=rng.randrange(60))
    return by_day if after < by_day < before else at


def months_ago(at: datetime, now: datetime) -> int:
    """Calendar months (UTC) between two instants: 0 is the month that `now` is in."""
    return (now.year - at.year) * 12 + now.month - at.month


def in_time(
    rng: random.Random, detractors: list[tuple[datetime, bool]], now: datetime
) -> list[bool]:
    """Who was reached within 72 hours, so that each month has the rate the story tells.

    `detractors` are (answered at, settled as a miss beforehand). Those younger than ten days
    count as reached: what is open right now is told apart, in the story's scenes.
    """
    young = now - timedelta(days=10)
    verdicts = [not missed for _, missed in detractors]
    for ago in range(len(REACHED)):
        cohort = [n for n, (at, _) in enumerate(detractors) if months_ago(at, now) == ago]
        wanted = round(len(cohort) * (1 - REACHED[-1 - ago]))
        misses = sum(not verdicts[n] for n in cohort)
        free = [n for n in cohort if verdicts[n] and detractors[n][0] < young]
        for n in rng.sample(free, min(len(free), max(0, wanted - misses))):
            verdicts[n] = False
    return verdicts
