"""The charts of the reports, drawn on the server as SVG without scripts or inline styles.

Each chart is drawn twice, for wide and for narrow places, and `charts.css` shows the one that fits,
so that text keeps its size on a phone. Colours come from the style sheet; shapes and textures
carry the meaning without it, in print and for the colour-blind. A chart is a picture with a title
and a description; the page sets the same figures beside it as a table.

All words (labels, figures, units) come from the caller, who knows the reader's language. Without
anything to draw a chart is an empty text, so that a page can say instead what to do next.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from textwrap import wrap

from analysis.measures.closure import Closure
from analysis.plot import SMALL, Axis, Columns, Plot, Rows, across, count_axis
from analysis.svg import FONT, WIDE, Svg, clean, drawn, line, tag, text, width_of

NPS = Axis(-100, 100, ((-100, "\u2212100"), (0, "0"), (100, "+100")))


def percent_axis(percent: Callable[[int], str] = "{} %".format) -> Axis:
    """0..1, its ticks written by `percent` from whole per cent."""
    return Axis(0, 1, tuple((tick / 100, percent(tick)) for tick in (0, 50, 100)))


@dataclass(frozen=True)
class Point:
    """One figure: `value`, `low` and `high` in the unit of the axis, None where there is none;
    `text` is the figure as it is read, `few` says that n is too small to lean on."""

    label: str
    value: float | None
    low: float | None
    high: float | None
    text: str
    n: str
    few: bool = False

    def __str__(self) -> str:
        return f"{self.label}: {self.text} ({self.n})"


@dataclass(frozen=True)
class Goal:
    value: float
    text: str


@dataclass(frozen=True)
class Series:
    """One part of stacked bars; `look` is one of LOOKS."""

    label: str
    look: str


# What each look adds to its colour: the strokes of a texture, in a tile of 6 by 6 units.
LOOKS = {
    "good": "",
    "fair": "M-1 1 L1 -1 M0 6 L6 0 M5 7 L7 5",
    "bad": "M0 0 L6 6 M0 6 L6 0",
    "apart": "M2 2 h.1 M5 5 h.1",
    "apart-open": "M0 2 h6",
}


def line_chart(points: Sequence[Point], axis: Axis, *, title: str, goal: Goal | None = None) -> Svg:
    """Figures over time with whiskers for their intervals, a gap where there is no figure,
    hollow marks where n is small, a dashed line for the goal."""

    def draw(width: float, ident: str) -> tuple[str, float]:
        strip = [(point.label, point.text, point.n) for point in points]
        plot = _plot(width, axis, strip, right=_room(goal.text) if goal else 12)
        marks = [_segment(plot, i, *pair) for i, pair in enumerate(pairwise(points))]
        marks += [_mark(plot, i, point) for i, point in enumerate(points)]
        goal_line = plot.level(goal.value, goal.text, class_="chart-goal") if goal else ""
        return plot.frame() + goal_line + "".join(marks), plot.height

    return drawn(draw, title, points)


def closure_chart(
    months: Iterable[tuple[str, Closure]],
    *,
    title: str,
    goal_text: str,
    number: Callable[[int], str] = str,
    percent: Callable[[int], str] = "{} %".format,
) -> Svg:
    """Share of detractors contacted within 72 hours, month by month, against the goal.

    Below ten elapsed tasks a month shows its counts ("3/4") and a hollow mark.
    """
    points = [_closure_point(label, closure, number, percent) for label, closure in months]
    goal = Goal(Closure.goal, goal_text)
    return line_chart(points, percent_axis(percent), title=title, goal=goal)


def bar_chart(
    columns: Sequence[tuple[str, Sequence[int]]],
    series: Sequence[Series],
    *,
    title: str,
    number: Callable[[int], str] = str,
) -> Svg:
    """Counts stacked in the order of `series`, the sum of each column written out."""
    sums = [sum(counts) for _, counts in columns]
    axis = count_axis(max(sums, default=0), number)

    def draw(width: float, ident: str) -> tuple[str, float]:
        legend, top = _legend(series, width, ident)
        strip = [(label, number(n)) for (label, _), n in zip(columns, sums, strict=True)]
        plot = _plot(width, axis, strip, right=12, top=top)
        stacks = "".join(
            _stack(plot, i, counts, series, ident, label)
            for i, (label, counts) in enumerate(columns)
        )
        return _textures(series, ident) + legend + plot.frame() + stacks, plot.height

    said = [
        f"{label}: " + ", ".join(f"{s.label} {c}" for s, c in zip(series, counts, strict=True))
        for label, counts in columns
    ]
    return drawn(draw, title, said)


def share_bars(rows: Sequence[Point], *, title: str) -> Svg:
    """Shares under one another on one scale, which ends at the highest interval."""
    longest = max((row.high or row.value or 0 for row in rows), default=0) or 1

    def draw(width: float, ident: str) -> tuple[str, float]:
        parts, top = [], 0.0
        for row in rows:
            part, top = _share_bar(row, width, longest, top)
            parts.append(part)
        return "".join(parts), top

    return drawn(draw, title, rows)


def _closure_point(
    label: str, closure: Closure, number: Callable[[int], str], percent: Callable[[int], str]
) -> Point:
    low, high = closure.interval or (None, None)
    counts = f"{number(closure.contacted_in_time)}/{number(closure.n)}" if closure.n else "\u2013"
    few = closure.percent is None
    words = counts if closure.percent is None else percent(closure.percent)
    return Point(label, closure.rate, low, high, words, f"n {number(closure.n)}", few)


def _plot(
    width: float, axis: Axis, strip: Sequence[tuple[str, ...]], *, right: float, top: float = 8
) -> Plot:
    """Columns where they fit side by side, else rows."""
    columns = Columns(axis, strip, width, top, right)
    return columns if width == WIDE and columns.fit() else Rows(axis, strip, width, top)


def _segment(plot: Plot, i: int, here: Point, there: Point) -> str:
    if here.value is None or there.value is None:
        return ""
    ends = (*plot.at(i, here.value), *plot.at(i + 1, there.value))
    return line(*ends, class_="chart-line", stroke_width=1.5)


def _mark(plot: Plot, i: int, point: Point) -> str:
    if point.value is None:
        return ""
    x, y = plot.at(i, point.value)
    look = {"class_": "chart-few", "fill": "#fff"} if point.few else {"class_": "chart-dot"}
    dot = tag("circle", cx=x, cy=y, r=4.5, stroke="currentColor", stroke_width=2, **look)
    whisker = ""
    if point.low is not None and point.high is not None:
        whisker = plot.whisker(i, point.low, point.high)
    return tag("g", tag("title", clean(point)), whisker, dot)


def _stack(
    plot: Plot, i: int, counts: Sequence[int], series: Sequence[Series], ident: str, label: str
) -> str:
    parts, start = [], 0
    for part, count in zip(series, counts, strict=True):
        if count:
            said = tag("title", clean(f"{label}: {part.label} {count}"))
            box = plot.bar(i, start, start + count)
            parts.append(tag("g", said, _box(part, box, ident)))
        start += count
    return "".join(parts)


def _box(series: Series, box: dict[str, float], ident: str) -> str:
    solid = tag("rect", **box, class_=f"chart-{series.look}", stroke="#fff", stroke_width=0.5)
    if not LOOKS[series.look]:
        return solid
    return solid + tag("rect", **box, fill=f"url(#{ident}-{series.look})")


def _textures(series: Sequence[Series], ident: str) -> str:
    pen = {"class_": "chart-texture", "stroke": "#fff", "stroke_linecap": "round", "fill": "none"}
    tiles = (
        tag(
            "pattern",
            tag("path", d=LOOKS[part.look], stroke_width=1.2, **pen),
            id=f"{ident}-{part.look}",
            width=6,
            height=6,
            patternUnits="userSpaceOnUse",
        )
        for part in series
        if LOOKS[part.look]
    )
    return tag("defs", *tiles)


def _legend(series: Sequence[Series], width: float, ident: str) -> tuple[str, float]:
    """The keys, wrapped to the width, and the height they take."""
    parts, x, y = [], 0.0, 2.0
    for part in series:
        room = 18 + _room(part.label)
        if x and x + room > width:
            x, y = 0.0, y + 20
        box = {"x": x, "y": y, "width": 14.0, "height": 12.0}
        parts.append(_box(part, box, ident) + text(x + 20, y + 11, part.label, "start"))
        x += room
    return "".join(parts), y + 28


def _share_bar(row: Point, width: float, longest: float, top: float) -> tuple[str, float]:
    """A label of up to two lines, the bar below it, the figure and n after the bar."""
    names = wrap(row.label, int(width / width_of("n", FONT)), max_lines=2, placeholder="\u2026")
    middle = top + 18 * len(names) + 13
    scale = (width - 116) / longest
    parts = [text(0, top + 14 + 18 * k, name, "start") for k, name in enumerate(names)]
    parts.append(text(width - 56, middle + 4, row.text, "end", class_="chart-value"))
    parts.append(text(width, middle + 4, row.n, "end", class_="chart-n", font_size=SMALL))
    if row.value is not None:
        class_, fill = ("chart-bar-few", "#fff") if row.few else ("chart-bar", "#bbb")
        box = {"x": 1, "y": middle - 7, "width": max(1.0, row.value * scale), "height": 14}
        parts.append(tag("rect", **box, class_=class_, fill=fill, stroke="currentColor"))
    if row.low is not None and row.high is not None:
        parts.append(across(1 + row.low * scale, 1 + row.high * scale, middle))
    return tag("g", tag("title", clean(row)), *parts), middle + 18


def _room(words: str) -> float:
    return width_of(words, FONT) + 18
