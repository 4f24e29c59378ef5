"""How long something takes when part of it has not happened yet: Kaplan and Meier's estimate.

Those who still wait are censored: they count among those at risk for as long as they have waited,
so that quick successes alone cannot make the picture. In any one unit of time; the caller's.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from math import exp, inf, log, sqrt
from typing import NamedTuple

from analysis.measures.intervals import Z95, Interval, check_counts, wilson

ROUNDING = 1e-9  # of a product of shares; a curve that stands at a half is not just above it


class Step(NamedTuple):
    """What happened at one time; of those censored at the time of an event, it comes first."""

    time: float
    at_risk: int  # just before
    events: int
    censored: int
    survival: float  # just after, 0..1
    spread: float  # Greenwood's sum up to here; infinite where survival is 0


class Estimate(NamedTuple):
    """The share, 0..1, to whom it has not happened; None beyond the last time anybody was seen."""

    survival: float | None
    interval: Interval | None
    events: int  # up to here
    at_risk: int  # still waiting and still seen


NOTHING_KNOWN = Estimate(None, None, 0, 0)


@dataclass(frozen=True)
class Curve:
    """The steps in the order of time, from `kaplan_meier`."""

    steps: tuple[Step, ...]

    @property
    def n(self) -> int:
        return self.steps[0].at_risk if self.steps else 0

    @property
    def events(self) -> int:
        return sum(step.events for step in self.steps)

    def at(self, time: float) -> Estimate:
        """Just after `time`: S(t), with what happens at that very time."""
        return self._estimate(bisect_right(self._times, time), time)

    def before(self, time: float) -> Estimate:
        """Just before `time`: S(t-), without what happens at that very time."""
        return self._estimate(bisect_left(self._times, time), time)

    def quantile(self, share: float) -> float | None:
        """The first time by which `share` (0..1) has had it; None where that lies beyond the
        curve. 0.5 gives the median."""
        waiting = 1 - share + ROUNDING
        return next((one.time for one in self.steps if one.survival <= waiting), None)

    def quantile_interval(self, share: float) -> tuple[float | None, float | None]:
        """Where the ends of the 95 % interval of the curve reach that share; None: beyond it.

        R. Brookmeyer and J. Crowley 1982, Biometrics 38:29-41, on the log-log scale.
        """
        waiting, low = 1 - share + ROUNDING, None
        for passed, step in enumerate(self.steps, start=1):
            if not step.events:
                continue
            interval = self._interval(passed)
            low = step.time if low is None and interval.low <= waiting else low
            if interval.high <= waiting:
                return low, step.time
        return low, None

    @cached_property
    def _times(self) -> list[float]:
        return [step.time for step in self.steps]

    @cached_property
    def _events_before(self) -> list[int]:
        sums = [0]
        for step in self.steps:
            sums.append(sums[-1] + step.events)
        return sums

    def _estimate(self, passed: int, time: float) -> Estimate:
        """After the first `passed` steps."""
        if not self.steps:
            return NOTHING_KNOWN
        survival = self.steps[passed - 1].survival if passed else 1.0
        events = self._events_before[passed]
        if time > self._times[-1] and survival > 0:
            return Estimate(None, None, events, 0)
        return Estimate(survival, self._interval(passed), events, self._at_risk(passed))

    def _at_risk(self, passed: int) -> int:
        return self.steps[passed].at_risk if passed < len(self.steps) else 0

    def _interval(self, passed: int) -> Interval:
        survival = self.steps[passed - 1].survival if passed else 1.0
        if 0 < survival < 1:
            return log_log(survival, self.steps[passed - 1].spread)
        seen = self._events_before[passed] + self._at_risk(passed)
        reached = wilson(self._events_before[passed], seen) or Interval(0.0, 1.0)
        return Interval(1 - reached.high, 1 - reached.low)


def kaplan_meier(rows: Iterable[tuple[float, int, int]]) -> Curve:
    """From (time, events, censored) in any order; times may come again. ValueError for what cannot
    be: a time below 0, a count that is none.

    E. L. Kaplan and P. Meier 1958, JASA 53:457-481. Its variance is Greenwood's (M. Greenwood 1926,
    Reports on Public Health and Medical Subjects 33), its 95 % interval stands on the log-log scale
    (J. D. Kalbfleisch and R. L. Prentice 1980, The Statistical Analysis of Failure Time Data, 1.3).
    Where the curve is at 1 or at 0 Greenwood's variance is none and would claim certainty: there
    the interval is Wilson's, of those whose state at the time is known.
    """
    counts: dict[float, tuple[int, int]] = {}
    for time, events, censored in rows:
        check_counts(events=events, censored=censored)
        if not 0 <= time < inf:
            raise ValueError(f"{time!r} is no time to wait: it must be 0 or more, and finite")
        before = counts.get(time, (0, 0))
        counts[time] = before[0] + events, before[1] + censored
    return Curve(tuple(_steps({time: both for time, both in counts.items() if any(both)})))


def _steps(counts: dict[float, tuple[int, int]]) -> Iterable[Step]:
    at_risk = sum(map(sum, counts.values()))
    survival, spread = 1.0, 0.0
    for time in sorted(counts):
        events, censored = counts[time]
        left = at_risk - events
        survival *= left / at_risk
        spread += events / (at_risk * left) if left else inf
        yield Step(time, at_risk, events, censored, survival, spread)
        at_risk = left - censored


def log_log(survival: float, spread: float, z: float = Z95) -> Interval:
    """Around a survival strictly between 0 and 1, from Greenwood's sum."""
    factor = exp(z * sqrt(spread) / abs(log(survival)))
    return Interval(survival**factor, survival ** (1 / factor))
