"""What tasks show of the themes."""

from __future__ import annotations

from collections.abc import Collection

from analysis.models import Mention


def main_themes(answers: Collection[int]) -> dict[int, str]:
    """The label of each answer's main theme, by the answer's key; none for those unread."""
    rows = Mention.objects.filter(response__in=answers, is_main=True)
    return dict(rows.values_list("response", "theme__label"))
