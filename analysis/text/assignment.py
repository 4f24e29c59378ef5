"""Which theme each comment belongs to, and how surely."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

NO_THEME = -1
_SHARPNESS = 10.0


@dataclass(frozen=True)
class Assignment:
    """Arrays with an entry per comment: theme id (-1 none), confidence 0-1, cosine 0-1."""

    labels: np.ndarray
    confidence: np.ndarray
    similarity: np.ndarray

    @classmethod
    def nothing(cls, total: int) -> Self:
        """`total` comments without a theme."""
        return cls(np.full(total, NO_THEME), np.zeros(total), np.zeros(total))

    @classmethod
    def nearest(cls, similarity: np.ndarray, known: np.ndarray | None = None) -> Self:
        """The nearest of the centres, from cosines of shape (comments, themes).

        `known` holds the theme of comments that have one already, -1 for the others. Confidence is
        the cosine times the theme's share in a softmax over all themes: low for a comment that fits
        nowhere and for one that fits two themes alike.
        """
        labels = similarity.argmax(axis=1)
        if known is not None:
            labels = np.where(known >= 0, known, labels)
        own = similarity[np.arange(len(labels)), labels]
        best = similarity.max(axis=1)
        sharp = np.exp(_SHARPNESS * (similarity - best[:, None]))
        share = sharp[np.arange(len(labels)), labels] / sharp.sum(axis=1)
        own = np.clip(own, 0, 1)
        return cls(labels, own * share, own)

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        return cls(
            np.concatenate([part.labels for part in parts]),
            np.concatenate([part.confidence for part in parts]),
            np.concatenate([part.similarity for part in parts]),
        )

    def spread(self, places: np.ndarray) -> Self:
        """The entries at `places`; a place of -1 is a comment without a theme."""
        missing = places < 0
        return type(self)(
            np.where(missing, NO_THEME, self.labels[places]),
            np.where(missing, 0.0, self.confidence[places]),
            np.where(missing, 0.0, self.similarity[places]),
        )

    def renumber(self, order: np.ndarray) -> Self:
        """The same with `order[new] = old`; every theme in use must be in `order`."""
        new = np.full(max(order, default=0) + 2, NO_THEME)
        new[order] = np.arange(len(order))
        return type(self)(new[self.labels], self.confidence, self.similarity)
