"""NPS, CSAT and CES from the counts of their three bands.

| kind | scale | promoters | passives | detractors | figure |
|---|---|---|---|---|---|
| nps  | 0-10 | 9-10 | 7-8 | 0-6 | share of promoters minus share of detractors, -100..+100 |
| csat | 1-5  | 4-5  | 3   | 1-2 | share of the top band, 0..1 |
| ces  | 1-7  | 5-7  | 4   | 1-3 | share of the top band, 0..1 |

Only answers with a score are counted: an answer without one is in no band and not in n.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from analysis.measures.clusters import Moments, clustered_nps
from analysis.measures.intervals import adjusted_wald_nps, check_counts, wilson


@dataclass(frozen=True)
class Score:
    """A figure with its 95 % interval and n; the three figures are None where n is 0."""

    value: float | None
    low: float | None
    high: float | None
    n: int


NOTHING = Score(None, None, None, 0)


def nps(promoters: int, passives: int, detractors: int, accounts: Moments | None = None) -> Score:
    """Net Promoter Score in -100..+100 (F. Reichheld 2003, Harvard Business Review 81(12)).

    With the moments of the accounts that answered the interval knows that their answers are alike.
    """
    bands = promoters, passives, detractors
    interval = clustered_nps(*bands, accounts) if accounts else adjusted_wald_nps(*bands)
    n = sum(bands)
    if interval is None:
        return NOTHING
    value = 100 * (promoters - detractors) / n
    return Score(value, 100 * interval.low, 100 * interval.high, n)


def csat(promoters: int, passives: int, detractors: int) -> Score:
    """Customer satisfaction: the share, 0..1, of answers 4 and 5 on 1-5."""
    return _top_band(promoters, passives, detractors)


def ces(promoters: int, passives: int, detractors: int) -> Score:
    """Customer effort as ease: the share, 0..1, of answers 5 to 7 on 1-7."""
    return _top_band(promoters, passives, detractors)


def share(hits: int, n: int) -> Score:
    """`hits / n` in 0..1 with Wilson's interval; ValueError for more hits than n."""
    interval = wilson(hits, n)
    if interval is None:
        return NOTHING
    return Score(hits / n, interval.low, interval.high, n)


MEASURES: dict[str, Callable[[int, int, int], Score]] = {"nps": nps, "csat": csat, "ces": ces}


def measure(kind: str, bands: Sequence[int], accounts: Moments | None = None) -> Score:
    """The score of a survey of `kind` from its (promoters, passives, detractors), and the moments
    of the accounts that gave them, of which the interval of the NPS takes account."""
    if kind not in MEASURES:
        raise ValueError(f"unknown kind of survey {kind!r}: use one of {', '.join(MEASURES)}")
    promoters, passives, detractors = bands
    if kind == "nps":
        return nps(promoters, passives, detractors, accounts)
    return MEASURES[kind](promoters, passives, detractors)


def _top_band(promoters: int, passives: int, detractors: int) -> Score:
    check_counts(promoters=promoters, passives=passives, detractors=detractors)
    return share(promoters, promoters + passives + detractors)
