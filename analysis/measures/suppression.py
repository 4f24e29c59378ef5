"""Which groups of a breakdown must not show their score, because too few answered in them.

To hide the small groups is not enough: what one hidden group says is the total less all others. So
further groups are hidden along with it until those that are hidden hold enough answers together
("complementary suppression", A. Hundepool et al. 2012, Statistical Disclosure Control, 4.2).
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TypeVar

MINIMUM_N = 10  # answers

Group = TypeVar("Group", bound=Hashable)


def hidden(counts: Mapping[Group, int], minimum: int = MINIMUM_N) -> frozenset[Group]:
    """The groups of a total whose scores stay hidden. Groups without answers hide nothing, and
    give nothing to hide behind. Of groups of one size the first in the order of their names goes.

    The total itself is taken to be shown where it has `minimum` answers or more.
    """
    answered = {group: n for group, n in counts.items() if n}
    small = {group for group, n in answered.items() if n < minimum}
    rest = sorted(answered.keys() - small, key=lambda group: (answered[group], str(group)))
    for group in rest:
        if not small or sum(answered[one] for one in small) >= minimum:
            break
        small.add(group)
    return frozenset(small)
