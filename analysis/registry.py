"""The same theme, recognised from one fit of the model to the next: months can be compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import chain, count
from typing import Protocol

import numpy as np
from scipy.optimize import linear_sum_assignment

from analysis.models import Mention, Theme
from surveys.models import Survey

# Of all comments in either theme, the share that both must hold. Two themes of one size reach it
# when half of their comments are the same.
SAME = 1 / 3


class Found(Protocol):
    """A theme as the fitted model found it."""

    label: str
    keywords: Sequence[str]


def match(before: Mapping[int, int], after: Mapping[int, int]) -> dict[int, int]:
    """Pair new themes with old ones by the comments that both hold.

    `before` and `after` map a comment to its theme; only comments in both are looked at. Returns
    new -> old for the pairing with the largest sum of overlaps (Jaccard 1901; assignment by Kuhn
    1955, in scipy), without the pairs that overlap less than SAME.
    """
    shared = before.keys() & after.keys()
    both = Counter((before[comment], after[comment]) for comment in shared)
    olds, news = (sorted(set(side)) for side in zip(*both, strict=True)) if both else ([], [])
    old_sizes = Counter(before[comment] for comment in shared)
    new_sizes = Counter(after[comment] for comment in shared)
    overlap = np.zeros((len(olds), len(news)))
    for i, old in enumerate(olds):
        for j, new in enumerate(news):
            common = both[old, new]
            overlap[i, j] = common / (old_sizes[old] + new_sizes[new] - common)
    pairs = zip(*linear_sum_assignment(overlap, maximize=True), strict=True)
    return {news[j]: olds[i] for i, j in pairs if overlap[i, j] >= SAME}


def settle(
    survey: Survey, found: Sequence[Found], main: Mapping[int, int], now: datetime
) -> list[Theme]:
    """The survey's themes after a fit, in the order of `found`; call it inside its transaction.

    `main` maps an answer's id to the number of its main theme in `found`. A recognised theme keeps
    its id and its label, whoever gave it; others are born, and those not found again retire.
    """
    living = {theme.pk: theme for theme in Theme.objects.living().filter(survey=survey)}
    mentions = Mention.objects.filter(theme__in=living, is_main=True)
    kept = match(dict(mentions.values_list("response_id", "theme_id")), main)
    retired = living.keys() - set(kept.values())
    Theme.objects.filter(pk__in=retired).update(retired_at=now)
    taken = {living[old].label.casefold() for old in kept.values()}
    return [
        _keep(living[kept[i]], theme) if i in kept else _bear(survey, theme, taken, now)
        for i, theme in enumerate(found)
    ]


def _keep(theme: Theme, found: Found) -> Theme:
    theme.keywords = _keywords(found)
    theme.save(update_fields=["keywords"])
    return theme


def _bear(survey: Survey, found: Found, taken: set[str], now: datetime) -> Theme:
    label = _free_label(found, taken)
    taken.add(label.casefold())
    return Theme.objects.create(survey=survey, label=label, keywords=_keywords(found), born_at=now)


def _keywords(found: Found) -> list[str]:
    return [word[:60] for word in found.keywords]


def _free_label(found: Found, taken: Iterable[str]) -> str:
    """The label, told apart from others of that name by a keyword, else by a number."""
    label = found.label[:80] or "Unnamed"
    tails = chain(found.keywords, count(2))
    choices = chain([label], (f"{label} ({str(tail)[:30]})" for tail in tails))
    return next(choice for choice in choices if choice.casefold() not in taken)
