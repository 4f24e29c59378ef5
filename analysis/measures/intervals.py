"""Confidence intervals for what is counted: shares, and the Net Promoter Score."""

from math import sqrt
from statistics import NormalDist
from typing import NamedTuple

Z95 = NormalDist().inv_cdf(0.975)


class Interval(NamedTuple):
    """Both ends belong to the interval; in the unit of the figure it surrounds."""

    low: float
    high: float


def wilson(hits: int, n: int, z: float = Z95) -> Interval | None:
    """Interval of the share `hits / n`, both ends in 0..1; None where n is 0.

    Wilson's score interval without continuity correction (E. B. Wilson 1927, JASA 22:209-212;
    method 3 of R. G. Newcombe 1998, Statistics in Medicine 17:857-872). It stays inside 0..1 and
    is honest at small n and at shares near 1. ValueError for counts that cannot be.
    """
    check_counts(hits=hits, n=n)
    if hits > n:
        raise ValueError(f"{hits} hits among {n} cannot be: hits are part of n")
    if n == 0:
        return None
    share, spread = hits / n, z * z / n
    centre = (share + spread / 2) / (1 + spread)
    margin = z / (1 + spread) * sqrt(share * (1 - share) / n + spread / (4 * n))
    return _around(share, centre, margin, lowest=0.0)


def adjusted_wald_nps(
    promoters: int, passives: int, detractors: int, z: float = Z95
) -> Interval | None:
    """Interval of the Net Promoter Score as a difference of shares, in -1..+1; None for n = 0.

    Adjusted Wald: 3/4 is added to promoters and to detractors and 3 to n (B. Rocks 2016,
    "Interval Estimation for the Net Promoter Score", The American Statistician 70:365-372).
    It takes answers as independent; `clusters` does not. With a single answer the interval is
    widened to hold it.
    """
    check_counts(promoters=promoters, passives=passives, detractors=detractors)
    n = promoters + passives + detractors
    if n == 0:
        return None
    return nps_around((promoters - detractors) / n, promoters, detractors, n, z)


def nps_around(
    value: float, promoters: float, detractors: float, n: float, z: float = Z95
) -> Interval:
    """The adjusted Wald interval that holds `value`, from counts that need not be whole."""
    top, bottom, total = promoters + 0.75, detractors + 0.75, n + 3
    centre = (top - bottom) / total
    variance = (top + bottom) / total - centre**2
    margin = z * sqrt(variance / total)
    return _around(value, centre, margin, lowest=-1.0)


def check_counts(**counts: int) -> None:
    """Raise ValueError, naming the count, unless every count is a whole number of 0 or more."""
    for name, count in counts.items():
        if not isinstance(count, int) or isinstance(count, bool) or count < 0:
            raise ValueError(f"{name} must be a whole number of 0 or more, not {count!r}")


def _around(value: float, centre: float, margin: float, lowest: float) -> Interval:
    """Clip to lowest..1 and hold the value itself, which rounding may leave just outside."""
    low = max(lowest, min(value, centre - margin))
    return Interval(low, min(1.0, max(value, centre + margin)))
