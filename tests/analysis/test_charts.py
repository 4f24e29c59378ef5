import re
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest
from django.utils.html import conditional_escape

import analysis
from analysis.charts import (
    LOOKS,
    NPS,
    Goal,
    Point,
    Series,
    bar_chart,
    closure_chart,
    line_chart,
    percent_axis,
    share_bars,
)
from analysis.measures.closure import Closure
from analysis.svg import Svg

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = '</title><script>alert(1)</script>"><img src=x onerror=alert(1)>&\x00\x1b\ud800'
SERIES = [Series(look.title(), look) for look in LOOKS]
MONTHS = [
    ("Jan", Closure(contacted_in_time=19, late=1)),
    ("Feb", Closure(contacted_in_time=3, overdue=1)),
    ("Mar", Closure(not_yet_due_open=2)),
    ("Apr", Closure(contacted_in_time=5, late=5)),
    ("May", Closure(contacted_in_time=10)),
]


def point(value, label="Jan", few=False, text="a figure") -> Point:
    if value is None:
        return Point(label, None, None, None, "\u2013", "n 0")
    return Point(label, value, value - 0.1, value + 0.1, text, "n 12", few)


def closures(months=MONTHS) -> Svg:
    return closure_chart(months, title="Contacted within 72 hours", goal_text="goal 95 %")


def stacks(counts=(3, 1, 2, 0, 4)) -> Svg:
    return bar_chart([("Jan", counts), ("Feb", (1, 0, 0, 0, 0))], SERIES, title="Tasks")


def shares() -> Svg:
    return share_bars([point(0.4, "Invoices"), point(0.2, "Support", few=True)], title="Themes")


CHARTS = [closures, stacks, shares]


def parse(chart: str) -> ElementTree.Element:
    return ElementTree.fromstring(chart)  # noqa: S314 -- our own text, and well-formed or a failure


def picture(chart: str, size: str = "wide") -> ElementTree.Element:
    return parse(chart).find(f"{SVG}svg[@class='chart-{size}']")


def classed(root: ElementTree.Element, class_: str) -> list[ElementTree.Element]:
    return root.findall(f".//*[@class='{class_}']")


def words(root: ElementTree.Element) -> list[str]:
    return [element.text for element in root.iter(f"{SVG}text")]


def number(element: ElementTree.Element, name: str) -> float:
    return float(element.get(name))


@pytest.mark.parametrize("draw", CHARTS)
@pytest.mark.parametrize("size", ["wide", "narrow"])
def test_every_picture_has_a_name_and_a_description(draw, size):
    svg = picture(draw(), size)
    ids = {element.get("id"): element for element in svg.iter() if element.get("id")}
    assert svg.get("role") == "img"
    assert ids[svg.get("aria-labelledby")].tag == f"{SVG}title"
    assert ids[svg.get("aria-describedby")].tag == f"{SVG}desc"


def test_the_description_says_every_figure():
    svg = picture(closures())
    assert svg.find(f"{SVG}title").text == "Contacted within 72 hours"
    assert svg.find(f"{SVG}desc").text == (
        "Jan: 95 % (n 20); Feb: 3/4 (n 4); Mar: \u2013 (n 0); Apr: 50 % (n 10); May: 100 % (n 10)"
    )


@pytest.mark.parametrize("draw", CHARTS)
def test_no_id_is_used_twice_on_a_page_and_every_reference_resolves(draw):
    page = f"<div>{draw()}{line_chart([point(0.5)], percent_axis(), title='Other')}</div>"
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r"url\(#([^)]+)\)", page)) <= set(ids)


@pytest.mark.parametrize("draw", CHARTS)
def test_nothing_that_a_strict_content_policy_refuses(draw):
    names = {element.tag.removeprefix(SVG) for element in parse(draw()).iter()}
    attributes = {name for element in parse(draw()).iter() for name in element.attrib}
    assert names & {"script", "style", "image", "foreignObject", "a", "use"} == set()
    assert {name for name in attributes if name == "style" or name.startswith("on")} == set()


@pytest.mark.parametrize(
    "chart",
    [
        closure_chart([(HOSTILE, Closure(late=3))], title=HOSTILE, goal_text=HOSTILE),
        bar_chart([(HOSTILE, [2])], [Series(HOSTILE, "bad")], title=HOSTILE),
        share_bars([point(0.5, HOSTILE, text=HOSTILE)], title=HOSTILE),
        line_chart([point(0.5, HOSTILE)], percent_axis(), title=HOSTILE),
    ],
)
def test_hostile_words_stay_words(chart):
    root = parse(chart)
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        *("div", "svg", "title", "desc", "g", "text", "line", "circle", "rect"),
        *("defs", "pattern", "path"),
    }
    shown = HOSTILE.replace("\x00", "\ufffd").replace("\x1b", "\ufffd").replace("\ud800", "\ufffd")
    assert root.find(f"{SVG}svg/{SVG}title").text == shown
    assert chart.encode()


@pytest.mark.parametrize("draw", CHARTS)
def test_templates_print_a_chart_as_it_is(draw):
    assert conditional_escape(draw()) == draw()


def test_what_is_added_to_a_chart_is_no_longer_trusted():
    assert conditional_escape(Svg("<svg/>") + "<b>") == "&lt;svg/&gt;&lt;b&gt;"


@pytest.mark.parametrize(
    "chart",
    [
        closures([]),
        line_chart([], NPS, title="x"),
        bar_chart([], [], title="x"),
        share_bars([], title="x"),
    ],
)
def test_nothing_to_draw_is_an_empty_text(chart):
    assert chart == ""


@pytest.mark.parametrize("draw", CHARTS)
def test_the_style_sheet_knows_every_class(draw):
    css = (Path(analysis.__file__).parent / "static/analysis/charts.css").read_text()
    used = {element.get("class") for element in parse(draw()).iter()} - {None, "chart-label"}
    assert {name for name in used if not re.search(rf"\.{name}\b", css)} == set()


def test_small_months_show_counts_and_a_hollow_mark():
    svg = picture(closures())
    assert [e.text for e in classed(svg, "chart-value")] == [
        "95 %",
        "3/4",
        "\u2013",
        "50 %",
        "100 %",
    ]
    assert [e.text for e in classed(svg, "chart-n")] == ["n 20", "n 4", "n 0", "n 10", "n 10"]
    assert (len(classed(svg, "chart-dot")), len(classed(svg, "chart-few"))) == (3, 1)


def test_a_month_without_a_figure_is_a_gap():
    svg = picture(closures())
    assert len(classed(svg, "chart-line")) == 2
    ends = [(number(e, "x1"), number(e, "x2")) for e in classed(svg, "chart-line")]
    dots = [number(e, "cx") for e in svg.iter(f"{SVG}circle")]
    assert ends == [(dots[0], dots[1]), (dots[2], dots[3])]


def test_marks_stand_where_their_figures_are():
    svg = picture(closures())
    top, bottom = (number(classed(svg, "chart-grid")[i], "y1") for i in (2, 0))
    heights = [(bottom - number(e, "cy")) / (bottom - top) for e in svg.iter(f"{SVG}circle")]
    assert heights == pytest.approx([0.95, 0.75, 0.5, 1.0], abs=0.001)


def test_the_goal_is_a_dashed_line_with_its_label_at_its_height():
    svg = picture(closures())
    (goal,) = classed(svg, "chart-goal")
    first = next(svg.iter(f"{SVG}circle"))
    assert goal.get("y1") == goal.get("y2") == first.get("cy")
    assert goal.get("stroke-dasharray") == "6 4"
    assert [e.text for e in classed(svg, "chart-goal-text")] == ["goal 95 %"]


def test_whiskers_span_the_interval():
    """Half of ten: Wilson's interval is 0.2366 to 0.7634."""
    svg = picture(closures([("Jan", Closure(contacted_in_time=5, late=5))]))
    top, bottom = (number(classed(svg, "chart-grid")[i], "y1") for i in (2, 0))
    stem = classed(svg, "chart-whisker")[0]
    shares = [(bottom - number(stem, end)) / (bottom - top) for end in ("y1", "y2")]
    assert shares == pytest.approx([0.2366, 0.7634], abs=0.001)


def test_narrow_places_get_rows_with_the_same_words():
    wide, narrow = picture(closures()), picture(closures(), "narrow")
    assert sorted(words(wide)) == sorted(words(narrow))
    assert narrow.get("viewBox").split()[2] == "300"
    rows = [number(e, "cy") for e in narrow.iter(f"{SVG}circle")]
    assert rows == sorted(rows)
    assert rows[1] - rows[0] == 28


def test_more_months_than_fit_become_rows_in_wide_places_too():
    year, two_years = ([point(0.5, f"M{i}") for i in range(n)] for n in (12, 24))
    assert _falls(picture(line_chart(two_years, percent_axis(), title="Two years")))
    assert not _falls(picture(line_chart(year, percent_axis(), title="A year")))


def test_nps_has_its_zero_in_the_middle():
    svg = picture(line_chart([point(0.0)], NPS, title="NPS", goal=Goal(50, "goal +50")))
    low, middle, high = (number(e, "y1") for e in classed(svg, "chart-grid"))
    assert number(next(svg.iter(f"{SVG}circle")), "cy") == middle == (low + high) / 2
    assert number(classed(svg, "chart-goal")[0], "y1") == (middle + high) / 2


def test_stacks_are_as_high_as_their_counts_and_leave_no_gap():
    svg = picture(stacks((3, 1, 2, 0, 4)))
    boxes = [svg.findall(f"{SVG}g/{SVG}rect[@class='chart-{look}']") for look in LOOKS]
    assert [len(parts) for parts in boxes] == [2, 1, 1, 0, 1]
    stack = [parts[0] for parts in boxes if parts]
    unit = number(stack[0], "height") / 3
    assert [number(e, "height") / unit for e in stack] == pytest.approx([3, 1, 2, 4], abs=0.01)
    for lower, upper in pairwise(stack):
        assert number(upper, "y") + number(upper, "height") == pytest.approx(number(lower, "y"))


def test_stacks_write_out_their_sums_and_name_their_parts():
    svg = picture(stacks())
    assert [e.text for e in classed(svg, "chart-value")] == ["10", "1"]
    assert svg.find(f"{SVG}desc").text == (
        "Jan: Good 3, Fair 1, Bad 2, Apart 0, Apart-Open 4; "
        "Feb: Good 1, Fair 0, Bad 0, Apart 0, Apart-Open 0"
    )
    assert {"Good", "Fair", "Bad", "Apart", "Apart-Open"} <= set(words(svg))


def test_parts_differ_in_texture_not_only_in_colour():
    assert len(set(LOOKS.values())) == len(LOOKS)
    assert len(list(picture(stacks()).iter(f"{SVG}pattern"))) == len(LOOKS) - 1


def test_a_column_with_a_count_too_few_is_refused():
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        bar_chart([("Jan", [1])], SERIES, title="Tasks")


def test_share_bars_are_as_long_as_their_shares():
    svg = picture(shares())
    (bar,), (few,) = classed(svg, "chart-bar"), classed(svg, "chart-bar-few")
    assert number(bar, "width") == pytest.approx(2 * number(few, "width"), abs=0.1)
    assert number(bar, "width") / (720 - 116) == pytest.approx(0.4 / 0.5, abs=0.001)


def test_long_theme_names_wrap_to_two_lines_and_stay_whole_in_the_title():
    name = "Onboarding is hard to follow without a person who explains it, " * 3
    narrow = picture(share_bars([point(0.3, name.strip())], title="Themes"), "narrow")
    first, second = (line for line in words(narrow) if line not in ("a figure", "n 12"))
    assert first == "Onboarding is hard to follow without a"
    assert second.endswith("\u2026")
    assert name.strip() in narrow.find(f"{SVG}g/{SVG}title").text


def test_figures_are_written_in_the_readers_way():
    chart = closure_chart(
        [("Jan", Closure(contacted_in_time=1200, late=34))],
        title="x",
        goal_text="Ziel 95\u00a0%",
        number=lambda n: f"{n:,}".replace(",", "."),
        percent="{}\u00a0%".format,
    )
    assert {"97\u00a0%", "n 1.234", "Ziel 95\u00a0%", "100\u00a0%"} <= set(words(picture(chart)))


def _falls(svg: ElementTree.Element) -> bool:
    """Whether the marks go downwards, as in rows."""
    marks = list(svg.iter(f"{SVG}circle"))
    return number(marks[0], "cy") < number(marks[-1], "cy")
