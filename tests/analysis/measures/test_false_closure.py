import pytest

from analysis.measures.false_closure import FalseClosures, false_closures
from analysis.measures.intervals import wilson


def test_each_word_is_in_one_group():
    words = [("no", ""), ("yes", "no"), ("yes", "yes"), ("yes", "partly"), ("yes", "")]
    figure = false_closures(words)
    assert figure == FalseClosures(denied=1, unhelpful=1, confirmed=3)
    assert (figure.n, figure.rate, figure.interval) == (5, 0.2, wilson(1, 5))


def test_without_answers_there_is_no_rate():
    assert (false_closures([]).n, false_closures([]).rate) == (0, None)
    assert false_closures([]).interval is None


def test_what_cannot_be_said_is_refused():
    with pytest.raises(ValueError, match="maybe"):
        false_closures([("maybe", "")])
    with pytest.raises(ValueError, match="denied"):
        FalseClosures(denied=-1)
