"""Where things stand in a chart: time from left to right or, where that is too narrow, down."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Protocol

from analysis.svg import FONT, line, shorten, tag, text, width_of

SMALL = 11.0
BAR, CAP = 0.6, 4.0
STRIP: tuple[dict[str, Any], ...] = (
    {"class_": "chart-label"},
    {"class_": "chart-value"},
    {"class_": "chart-n", "font_size": SMALL},
)


@dataclass(frozen=True)
class Axis:
    """The scale of the figures, and its ticks as (value, words)."""

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]

    def share(self, value: float) -> float:
        """How far along the axis a value stands, 0..1; values beyond the ends stand at the ends."""
        return min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))


def count_axis(biggest: int, number: Callable[[int], str]) -> Axis:
    """An axis from 0 to at least `biggest` in at most five round steps."""
    step, factors = 1, (2, 2.5, 2)
    turn = 0
    while step * 5 < biggest:
        step = int(step * factors[turn % 3])
        turn += 1
    steps = max(1, -(-biggest // step))
    ticks = tuple((step * i, number(step * i)) for i in range(steps + 1))
    return Axis(0, step * steps, ticks)


class Plot(Protocol):
    """Subclasses must implement all of it; `i` counts the items, `value` is on the axis."""

    height: float

    def at(self, i: int, value: float) -> tuple[float, float]: ...
    def bar(self, i: int, start: float, end: float) -> dict[str, float]: ...
    def whisker(self, i: int, low: float, high: float) -> str: ...
    def level(self, value: float, words: str, class_: str) -> str: ...
    def frame(self) -> str: ...


class Columns:
    """Items from left to right, their strips of words below, the axis upwards."""

    left, depth, row = 52.0, 190.0, 18.0

    def __init__(
        self, axis: Axis, strip: Sequence[tuple[str, ...]], width: float, top: float, right: float
    ) -> None:
        self.axis, self.strip, self.top = axis, strip, top
        self.end = width - right
        self.step = (self.end - self.left) / max(1, len(strip))
        lines = max(map(len, strip), default=0)
        self.height = top + self.depth + 6 + self.row * lines + 4

    def at(self, i: int, value: float) -> tuple[float, float]:
        y = self.top + self.depth * (1 - self.axis.share(value))
        return self.left + self.step * (i + 0.5), y

    def bar(self, i: int, start: float, end: float) -> dict[str, float]:
        (x, bottom), (_, top) = self.at(i, start), self.at(i, end)
        wide = min(44.0, self.step * BAR)
        return {"x": x - wide / 2, "y": top, "width": wide, "height": bottom - top}

    def whisker(self, i: int, low: float, high: float) -> str:
        (x, bottom), (_, top) = self.at(i, low), self.at(i, high)
        return upright(bottom, top, x)

    def level(self, value: float, words: str, class_: str) -> str:
        _, y = self.at(0, value)
        rule = _rule(class_, self.left, y, self.end, y)
        if class_ == "chart-goal":
            return rule + text(self.end + 6, y + 4, words, "start", class_="chart-goal-text")
        return rule + text(self.left - 8, y + 4, words, "end", class_="chart-tick")

    def frame(self) -> str:
        rules = (self.level(value, words, "chart-grid") for value, words in self.axis.ticks)
        words = (self._strip(i, lines) for i, lines in enumerate(self.strip))
        return "".join((*rules, *words))

    def fit(self) -> bool:
        """Whether all words have room side by side."""
        widest = max((width_of(words, SMALL) for words in chain(*self.strip)), default=0.0)
        return widest <= self.step

    def _strip(self, i: int, lines: tuple[str, ...]) -> str:
        x, top = self.at(i, self.axis.low)[0], self.top + self.depth + 6
        return "".join(
            text(x, top + self.row * (k + 0.8), words, **STRIP[k]) for k, words in enumerate(lines)
        )


class Rows:
    """Items from top to bottom, labels before and figures after them, the axis rightwards."""

    row, label, figure = 28.0, 58.0, 56.0

    def __init__(
        self, axis: Axis, strip: Sequence[tuple[str, ...]], width: float, top: float
    ) -> None:
        self.axis, self.strip, self.width = axis, strip, width
        self.top = top + 18
        figures = max(map(len, strip), default=1) - 1
        self.end = width - self.figure * figures - 10
        self.bottom = self.top + self.row * len(strip)
        self.height = self.bottom + 22

    def at(self, i: int, value: float) -> tuple[float, float]:
        x = self.label + (self.end - self.label) * self.axis.share(value)
        return x, self.top + self.row * (i + 0.5)

    def bar(self, i: int, start: float, end: float) -> dict[str, float]:
        (left, y), (right, _) = self.at(i, start), self.at(i, end)
        high = self.row * BAR
        return {"x": left, "y": y - high / 2, "width": right - left, "height": high}

    def whisker(self, i: int, low: float, high: float) -> str:
        (left, y), (right, _) = self.at(i, low), self.at(i, high)
        return across(left, right, y)

    def level(self, value: float, words: str, class_: str) -> str:
        x, _ = self.at(0, value)
        rule = _rule(class_, x, self.top, x, self.bottom)
        if class_ == "chart-goal":
            return rule + text(x, self.bottom + 15, words, class_="chart-goal-text")
        return rule + text(x, self.top - 8, words, class_="chart-tick")

    def frame(self) -> str:
        rules = (self.level(value, words, "chart-grid") for value, words in self.axis.ticks)
        words = (self._strip(i, lines) for i, lines in enumerate(self.strip))
        return "".join((*rules, *words))

    def _strip(self, i: int, lines: tuple[str, ...]) -> str:
        y = self.at(i, self.axis.low)[1] + 4
        name = text(0, y, shorten(lines[0], self.label, FONT), "start", **STRIP[0])
        places = (self.width - self.figure * k for k in range(len(lines) - 2, -1, -1))
        return name + "".join(
            text(x, y, words, "end", **STRIP[k])
            for k, (x, words) in enumerate(zip(places, lines[1:], strict=True), start=1)
        )


def across(left: float, right: float, y: float) -> str:
    """A whisker from left to right."""
    return _whisker([(left, y, right, y), *((x, y - CAP, x, y + CAP) for x in (left, right))])


def upright(bottom: float, top: float, x: float) -> str:
    """A whisker from bottom to top."""
    return _whisker([(x, bottom, x, top), *((x - CAP, y, x + CAP, y) for y in (bottom, top))])


def _whisker(lines: list[tuple[float, float, float, float]]) -> str:
    return "".join(line(*ends, class_="chart-whisker", stroke_width=1.5) for ends in lines)


def _rule(class_: str, x1: float, y1: float, x2: float, y2: float) -> str:
    dashes = "6 4" if class_ == "chart-goal" else None
    opacity = None if dashes else 0.25
    return tag(
        "line",
        x1=x1,
        y1=y1,
        x2=x2,
        y2=y2,
        stroke="currentColor",
        stroke_width=1.5 if dashes else 1,
        stroke_dasharray=dashes,
        stroke_opacity=opacity,
        class_=class_,
    )
