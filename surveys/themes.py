"""What answers are about, as far as somebody knows. Here only the question is known: whoever reads
comments (the app `analysis`) says how to find the answer, and nothing here depends on it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

Source = Callable[[Collection[int]], Mapping[int, str]]

_sources: list[Source] = []


def known_by(source: Source) -> None:
    """From now on `source` is asked: it maps keys of answers to the label of their main theme, and
    leaves out those without one."""
    if source not in _sources:
        _sources.append(source)


def main_themes(answers: Collection[int]) -> dict[int, str]:
    """The label of each answer's main theme, by the answer's key; one query for all of them."""
    known: dict[int, str] = {}
    for source in _sources if answers else ():
        known |= source(answers)
    return known
