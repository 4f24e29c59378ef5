"""A figure of the last days, told anew for each day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta

from analysis.measures.scores import Score, measure

WINDOW = 30  # days
DAY = timedelta(days=1)

Bands = tuple[int, int, int]  # promoters, passives, detractors


def rolling(
    kind: str, by_day: Mapping[date, Bands], first: date, last: date, window: int = WINDOW
) -> Iterator[tuple[date, Score]]:
    """For each day from `first` to `last`: the score of that day and of the `window` - 1 before it.

    Answers are pooled, so a day with many of them weighs more; a mean of daily scores would let a
    single answer of a Sunday count as much as Monday's hundred. ValueError for no window.
    """
    if window < 1:
        raise ValueError(f"a window of {window} days holds nothing")
    days = (last - first).days + 1
    before = [first + DAY * n for n in range(1 - window, days)]
    counts = [by_day.get(day, (0, 0, 0)) for day in before]
    for n in range(days):
        bands = [sum(band) for band in zip(*counts[n : n + window], strict=True)]
        yield before[n + window - 1], measure(kind, bands)
