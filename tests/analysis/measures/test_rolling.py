from datetime import date

import pytest

from analysis.measures.rolling import rolling
from analysis.measures.scores import NOTHING, csat

MAY = {date(2026, 5, 1): (8, 1, 1), date(2026, 5, 2): (0, 0, 10), date(2026, 5, 30): (5, 0, 0)}


def test_days_are_pooled_not_averaged():
    found = dict(rolling("csat", MAY, date(2026, 5, 1), date(2026, 6, 1)))
    assert found[date(2026, 5, 1)] == csat(8, 1, 1)
    assert found[date(2026, 5, 2)] == found[date(2026, 5, 29)] == csat(8, 1, 11)
    assert found[date(2026, 5, 30)] == csat(13, 1, 11)
    assert found[date(2026, 5, 31)] == csat(5, 0, 10)  # the first is thirty days back
    assert found[date(2026, 6, 1)] == csat(5, 0, 0)


def test_a_window_of_one_day_is_that_day():
    found = dict(rolling("nps", MAY, date(2026, 5, 1), date(2026, 5, 3), window=1))
    assert [one.value for one in found.values()] == [70.0, -100.0, None]
    assert found[date(2026, 5, 3)] == NOTHING


def test_no_days_and_no_window():
    assert list(rolling("csat", MAY, date(2026, 5, 2), date(2026, 5, 1))) == []
    with pytest.raises(ValueError, match="a window of 0 days"):
        list(rolling("csat", MAY, date(2026, 5, 1), date(2026, 5, 1), window=0))
