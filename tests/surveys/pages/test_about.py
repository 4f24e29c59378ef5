from datetime import UTC, date, datetime

import pytest

from surveys.pages.about import kept_until


@pytest.mark.parametrize(
    ("answered", "months", "until"),
    [
        ((2026, 3, 10), 24, (2028, 3, 10)),
        ((2026, 3, 10), 10, (2027, 1, 10)),
        ((2026, 3, 10), 9, (2026, 12, 10)),
        ((2024, 2, 29), 12, (2025, 2, 28)),
        ((2026, 1, 31), 1, (2026, 2, 28)),
    ],
)
def test_an_answer_is_kept_for_whole_months(settings, answered, months, until):
    settings.KEEP_ANSWER_MONTHS = months
    assert kept_until(datetime(*answered, 23, 59, tzinfo=UTC)) == date(*until)
