"""Cutting a comment where its writer goes on to something else."""

from __future__ import annotations

import re

from analysis.text.clean import tokens

MOST = 8
_FEWEST_WORDS = 3
_END = re.compile(
    r"[.!?;\n]+(?=\s|$)|\s[-–—]+\s|,\s*(?=(?:but|and|also|however|plus)\b)|"
    r"\s+(?=(?:but|however|although|whereas|aber|mais|pero|mas|ma|maar)\s)",
    re.IGNORECASE,
)


def clauses(text: str) -> list[str]:
    """The parts of a tidied text that have three words or more, at most eight; [] for a single one.

    A part too short to stand alone goes with the one before it.
    """
    found: list[str] = []
    for part in filter(None, map(str.strip, _END.split(text))):
        if found and len(tokens(part)) < _FEWEST_WORDS:
            found[-1] = f"{found[-1]} {part}"
        else:
            found.append(part)
    return found[:MOST] if len(found) > 1 else []
