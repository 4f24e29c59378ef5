import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.plot import Axis, Columns, Rows, count_axis

STRIP = [("Jan", "1", "n 1"), ("Feb", "2", "n 2")]


@pytest.mark.parametrize(
    ("biggest", "ticks"),
    [
        (0, [0, 1]),
        (1, [0, 1]),
        (5, [0, 1, 2, 3, 4, 5]),
        (6, [0, 2, 4, 6]),
        (17, [0, 5, 10, 15, 20]),
        (135, [0, 50, 100, 150]),
        (1_234, [0, 500, 1_000, 1_500]),
    ],
)
def test_counts_get_round_ticks(biggest, ticks):
    assert [value for value, _ in count_axis(biggest, str).ticks] == ticks


@given(st.integers(0, 10**9))
def test_a_count_axis_holds_the_biggest_in_at_most_five_whole_steps(biggest):
    axis = count_axis(biggest, str)
    assert axis.low == 0
    assert biggest <= axis.high
    assert len(axis.ticks) <= 6
    assert [words for _, words in axis.ticks] == [str(value) for value, _ in axis.ticks]
    assert axis.ticks[-1][0] == axis.high


@given(st.floats(-200, 200))
def test_values_beyond_the_axis_stand_at_its_ends(value):
    share = Axis(-100, 100, ()).share(value)
    assert share == pytest.approx(min(1, max(0, (value + 100) / 200)))


def test_columns_go_right_and_up():
    plot = Columns(Axis(0, 1, ()), STRIP, width=720, top=8, right=12)
    (x, low), (there, high) = plot.at(0, 0.0), plot.at(1, 1.0)
    assert (x < there, high, low) == (True, 8, 198)
    assert plot.bar(0, 0.0, 0.5) == {"x": x - 22, "y": 103.0, "width": 44.0, "height": 95.0}


def test_rows_go_down_and_right():
    plot = Rows(Axis(0, 1, ()), STRIP, width=300, top=8)
    (low, y), (high, below) = plot.at(0, 0.0), plot.at(1, 1.0)
    assert (low, high, below - y) == (58, 178, 28)
    assert plot.height > below


def test_columns_fit_while_their_words_do():
    axis = Axis(0, 1, ())
    assert Columns(axis, STRIP * 6, 720, 8, 12).fit()
    assert not Columns(axis, STRIP * 26, 720, 8, 12).fit()
    assert not Columns(axis, [("A month with a long name",)] * 12, 720, 8, 12).fit()
