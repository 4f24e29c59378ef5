"""What has moved since last time, and whether it is more than noise."""

from dataclasses import dataclass
from math import hypot

from analysis.measures.scores import Score


@dataclass(frozen=True)
class Change:
    """`value` is now minus before in the unit of the figure, inside its 95 % interval."""

    value: float
    low: float
    high: float

    @property
    def is_noise(self) -> bool:
        """Whether no change at all would explain it as well."""
        return self.low <= 0 <= self.high


def change(now: Score, before: Score) -> Change | None:
    """The difference of two independent figures; None where one of them has no value.

    The interval is made of the two figures' own (method 10 of R. G. Newcombe 1998, Statistics in
    Medicine 17:873-890, for Wilson's intervals of shares; the same "square and add" for others,
    G. Y. Zou and A. Donner 2008, Statistics in Medicine 27:1693-1702).
    """
    here, there = _ends(now), _ends(before)
    if here is None or there is None:
        return None
    value = here[1] - there[1]
    down = hypot(here[1] - here[0], there[2] - there[1])
    up = hypot(here[2] - here[1], there[1] - there[0])
    return Change(value, value - down, value + up)


def _ends(score: Score) -> tuple[float, float, float] | None:
    """Low end, value, high end."""
    if score.low is None or score.value is None or score.high is None:
        return None
    return score.low, score.value, score.high
