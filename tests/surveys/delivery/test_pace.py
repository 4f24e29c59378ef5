from surveys.delivery.pace import Pace


def test_turns_are_as_far_apart_as_the_rate_says():
    pace = Pace(0.01)
    first, second, third = pace.turn(), pace.turn(), pace.turn()
    assert first == 0
    assert 99 < second <= 100 < 199 < third <= 200


def test_no_rate_means_no_waiting():
    pace = Pace(0)
    assert {pace.turn() for _ in range(100)} == {0.0}
