"""Which comments a model has placed already: the same words go to the same theme for good."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Self

import numpy as np

MOST = 60_000


def digest(key: str) -> int:
    """64 bits that stand for a comment's words, without holding them."""
    return int.from_bytes(hashlib.blake2b(key.encode("utf-8"), digest_size=8).digest(), "little")


class Known:
    """Digests of comments' keys and the theme of each."""

    def __init__(self, themes: dict[int, int] | None = None) -> None:
        self.themes = themes or {}

    @classmethod
    def of(cls, keys: Iterable[str], labels: Iterable[int]) -> Self:
        return cls({digest(key): int(label) for key, label in zip(keys, labels, strict=True)})

    def find(self, keys: Sequence[str]) -> np.ndarray:
        """The theme of each key, -1 for one never seen."""
        return np.array([self.themes.get(digest(key), -1) for key in keys], dtype=np.int64)

    def joined(self, newer: Known) -> Known:
        """Both, as far as there is room; what has its theme already keeps it."""
        room = MOST - len(newer.themes)
        older = dict(list(self.themes.items())[-room:]) if room > 0 else {}
        return Known({**newer.themes, **older})

    def arrays(self) -> dict[str, np.ndarray]:
        return {
            "digests": np.array(list(self.themes), dtype=np.uint64),
            "themes": np.array(list(self.themes.values()), dtype=np.int32),
        }

    @classmethod
    def restored(cls, arrays: dict[str, np.ndarray]) -> Self:
        pairs = zip(arrays["digests"].tolist(), arrays["themes"].tolist(), strict=True)
        return cls(dict(pairs))
