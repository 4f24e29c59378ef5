"""Pages drawn once for all who see the same: a template takes longer than all else of a page.

They have holes for what is a guest's own. Each hole is a mark that nobody can guess, so nothing
that is written into a page can be taken for one.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from functools import lru_cache
from secrets import token_hex
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.html import escape
from django.utils.translation import get_language

MARKS = {name: token_hex(16) for name in ("nonce", "decoy", "action", "privacy_url")}


def draw(page: str, facts: Mapping[str, Hashable], own: Mapping[str, str]) -> str:
    """The page of that name in the language of the moment; `own` fills the holes named in MARKS.

    The same facts give the same page, so they must be values, and no rows that may change.
    """
    filled = tuple(name for name in MARKS if own.get(name))
    drawn = _drawn.__wrapped__ if settings.DEBUG else _drawn
    html = drawn(page, get_language(), filled, tuple(sorted(facts.items())))
    for name in filled:
        html = html.replace(MARKS[name], escape(own[name]))
    return html


@lru_cache(maxsize=512)
def _drawn(page: str, language: str, filled: tuple[str, ...], facts: tuple) -> str:
    context: dict[str, Any] = dict(facts) | {name: MARKS[name] for name in filled}
    return render_to_string(f"surveys/pages/{page}.html", context)
