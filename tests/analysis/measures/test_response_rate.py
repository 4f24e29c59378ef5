import pytest

from analysis.measures.response_rate import response_rate
from analysis.measures.scores import Score


def test_answered_of_invited_with_interval():
    rate = response_rate(answered=15, invited=148)
    assert rate.value == 15 / 148
    assert (round(rate.low, 4), round(rate.high, 4), rate.n) == (0.0624, 0.1605, 148)


def test_nobody_invited_is_no_rate():
    assert response_rate(0, 0) == Score(None, None, None, 0)


def test_more_answers_than_invitations_are_refused():
    with pytest.raises(ValueError, match="3 hits among 2 cannot be"):
        response_rate(answered=3, invited=2)
