"""The words a new survey starts with, in every language: default_words.toml."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from surveys.models import Kind, Survey, Wording


@cache
def _words() -> dict:
    return tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))


def default_wording(survey: Survey, language: str) -> Wording:
    """Words for the survey's kind in one of settings.LANGUAGES, not saved yet."""
    words = _words()[language]
    shared = {field: text for field, text in words.items() if field not in Kind.values}
    return Wording(survey=survey, language=language, **shared, **words[survey.kind])


def languages_to_add(survey: Survey) -> list[str]:
    """The languages that have standard words, and none in this survey yet."""
    there = {wording.language for wording in survey.wordings.all()}
    return [language for language in _words() if language not in there]


def words_to_add(survey: Survey) -> list[Wording]:
    """Standard words in those languages, not saved yet. The standard reasons go with them only
    where the survey offers these very ones: in other languages they would mean something else."""
    offered = {tuple(dict(wording.choices)) for wording in survey.wordings.all()}
    added = [default_wording(survey, language) for language in languages_to_add(survey)]
    for wording in added:
        if offered != {tuple(dict(wording.choices))}:
            wording.reasons = ""
    return added
