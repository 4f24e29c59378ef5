"""What has moved since last time, and whether it is more than noise."""

from dataclasses import dataclass
from math import ceil, hypot

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

    @property
    def noise(self) -> float:
        """How far the interval reaches towards no change: what the value would have to pass."""
        return self.high - self.value if self.value < 0 else self.value - self.low


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


def answers_to_tell(now: Score, before: Score) -> int | None:
    """About how many more answers like those of `now` would lift the change out of the noise.

    Its half of the noise shrinks with the square root of n, that of `before` stays as it is. 0
    where the change is no noise; None where there is none, or no number of answers would do.
    """
    found, here, there = change(now, before), _ends(now), _ends(before)
    if found is None or here is None or there is None:
        return None
    if not found.is_noise:
        return 0
    falls = found.value < 0
    ours = here[2] - here[1] if falls else here[1] - here[0]
    theirs = there[1] - there[0] if falls else there[2] - there[1]
    room = found.value**2 - theirs**2
    return ceil(now.n * (ours**2 / room - 1)) if room > 0 else None


def _ends(score: Score) -> tuple[float, float, float] | None:
    """Low end, value, high end."""
    if score.low is None or score.value is None or score.high is None:
        return None
    return score.low, score.value, score.high
