from itertools import pairwise
from xml.etree import ElementTree

import pytest

from analysis.curves import Goal, Stair, curve_chart
from analysis.plot import Axis
from tests.analysis.test_charts import HOSTILE, SVG, classed, number, picture, words

TIMES = Axis(0, 168, tuple((hours, f"{hours} h") for hours in range(0, 169, 24)))
SHARES = Axis(0, 1, ((0, "0 %"), (0.5, "50 %"), (1, "100 %")))
STAIRS = [Stair(0, 0, 0, 0.1), Stair(24, 0.5, 0.3, 0.7), Stair(72, 0.5, 0.3, 0.7)]
SAID = ["24 h: 50 %", "72 h: 50 %"]


def drawn(stairs=STAIRS, **more) -> str:
    texts = {"title": "First contact", "said": SAID, "goal": Goal(72, 0.95, "Goal 95 %")}
    return curve_chart(stairs, TIMES, SHARES, **texts | more)


def corners(path: ElementTree.Element) -> list[tuple[float, float]]:
    points = path.get("d").removesuffix(" Z").lstrip("M").split(" L")
    return [tuple(map(float, point.split())) for point in points]


@pytest.mark.parametrize("size", ["wide", "narrow"])
def test_every_picture_has_a_name_and_a_description(size):
    root = picture(drawn(), size)
    assert root.find("{*}title").text == "First contact"
    assert root.find("{*}desc").text == "24 h: 50 %; 72 h: 50 %"
    assert root.get("role") == "img"


@pytest.mark.parametrize("size", ["wide", "narrow"])
def test_the_curve_goes_to_the_right_and_then_up(size):
    [curve] = classed(picture(drawn(), size), "chart-line")
    points = corners(curve)
    steps = [(a[0] == b[0], a[1] == b[1]) for a, b in pairwise(points)]
    assert all(upright or level for upright, level in steps)
    assert [x for x, _ in points] == sorted(x for x, _ in points)
    heights = [y for _, y in points]
    assert heights == sorted(heights, reverse=True)


def test_the_band_goes_around_the_curve():
    root = picture(drawn())
    [band], [curve] = classed(root, "chart-band"), classed(root, "chart-line")
    ys = [y for _, y in corners(band)]
    assert min(ys) < min(y for _, y in corners(curve))
    assert len(corners(band)) == 2 * len(corners(curve))


def test_marks_stand_at_their_times_with_their_words():
    root = picture(drawn(marks=[(24, "50 %"), (72, "51 %")]))
    first, second = classed(root, "chart-mark")
    ticks = {one.text: one for one in root.iter(f"{SVG}text")}
    assert number(first, "x1") == number(ticks["24 h"], "x")
    assert number(second, "x1") == number(ticks["72 h"], "x") == number(ticks["51 %"], "x")


def test_the_goal_is_a_shape_and_words():
    root = picture(drawn())
    assert len(classed(root, "chart-goal")) == 1
    assert "Goal 95 %" in words(root)
    assert classed(picture(drawn(goal=None)), "chart-goal") == []


def test_a_narrow_picture_leaves_out_every_other_tick():
    assert "24 h" in words(picture(drawn()))
    narrow = words(picture(drawn(), "narrow"))
    assert "24 h" not in narrow
    assert {"0 h", "48 h", "96 h", "144 h"} <= set(narrow)


def test_nothing_is_drawn_outside_the_picture():
    for size in ("wide", "narrow"):
        root = picture(drawn(marks=[(168, "100 %")]), size)
        width, height = map(float, root.get("viewBox").split()[2:])
        points = [point for look in ("chart-line", "chart-band", "chart-goal")
                  for one in classed(root, look) for point in corners(one)]  # fmt: skip
        assert all(0 <= x <= width and 0 <= y <= height for x, y in points)


def test_there_is_no_chart_of_nothing():
    assert drawn([]) == ""


def test_words_are_text():
    chart = drawn(title=HOSTILE, said=[HOSTILE], marks=[(1, HOSTILE)], goal=Goal(1, 1, HOSTILE))
    assert "<script" not in chart
    assert "<img" not in chart
    assert picture(chart) is not None
