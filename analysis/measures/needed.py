"""What it takes to reach the goal of the closure rate with a cohort that is not over yet."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from analysis.measures.closure import Closure


@dataclass(frozen=True)
class Needed:
    """Of `running` tasks, whose 72 hours run and that nobody has reached, `of_running` have to be
    reached in time. None: all of them would not do; then so many `further` detractors, every one
    reached in time, would. `misses` are those that there are already."""

    running: int
    of_running: int | None
    further: int
    misses: int


def needed(closure: Closure, goal: Fraction = Fraction(95, 100)) -> Needed:
    """From the counts of a month. Who was reached and is not due yet is a hit to come. ValueError
    for a goal that is no share below 1."""
    if not 0 < goal < 1:
        raise ValueError(f"the goal must be a share between 0 and 1, not {goal}")
    running = closure.not_yet_due_open
    hits = closure.contacted_in_time + closure.not_yet_due_contacted
    misses = closure.late + closure.overdue
    total = hits + misses + running
    to_hit = -(-goal.numerator * total // goal.denominator)  # rounded up
    of_running = max(0, to_hit - hits)
    if of_running <= running:
        return Needed(running, of_running, 0, misses)
    short = goal * total - hits - running
    return Needed(running, None, -int(-short // (1 - goal)), misses)
