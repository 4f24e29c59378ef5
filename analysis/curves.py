"""A share that grows with time, drawn as a staircase with the band of its interval.

Like the charts of `charts.py`: drawn for wide and for narrow places, with a title, a description,
and shapes that carry the meaning without colour. The page sets the same figures beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from analysis.plot import Axis
from analysis.svg import Svg, drawn, line, tag, text, width_of

LEFT, RIGHT, TOP, DEPTH = 52.0, 26.0, 30.0, 190.0
MARK = 10.0  # the size of their letters: three stand side by side on a phone
Place = tuple[float, float]


@dataclass(frozen=True)
class Stair:
    """From `at` on, in the unit of the axis of time, the share and the ends of its interval."""

    at: float
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Goal:
    """A share that should be reached by a time."""

    at: float
    value: float
    text: str


@dataclass(frozen=True)
class Field:
    """Where times and shares stand."""

    times: Axis
    shares: Axis
    width: float

    def x(self, time: float) -> float:
        return LEFT + (self.width - LEFT - RIGHT) * self.times.share(time)

    def y(self, share: float) -> float:
        return TOP + DEPTH * (1 - self.shares.share(share))


def curve_chart(
    stairs: Sequence[Stair],
    times: Axis,
    shares: Axis,
    *,
    title: str,
    said: Sequence[str],
    marks: Sequence[tuple[float, str]] = (),
    goal: Goal | None = None,
) -> Svg:
    """`marks` are times that matter, `said` is the description. "" without stairs."""

    def draw(width: float, ident: str) -> tuple[str, float]:
        field = Field(times, shares, width)
        parts = [_frame(field), *(_mark(field, at, words) for at, words in marks)]
        parts += [_band(field, stairs), _stairs(field, stairs)]
        parts.append(_goal(field, goal) if goal else "")
        return "".join(parts), TOP + DEPTH + 26

    return drawn(draw, title, said if stairs else ())


def _frame(field: Field) -> str:
    parts = []
    for value, words in field.shares.ticks:
        y = field.y(value)
        ends = (LEFT, y, field.width - RIGHT, y)
        parts.append(line(*ends, class_="chart-grid", stroke_opacity=0.25))
        parts.append(text(LEFT - 8, y + 4, words, "end", class_="chart-tick"))
    return "".join(parts) + _times(field)


def _times(field: Field) -> str:
    """Every tick where all of them fit, else every other one."""
    ticks = field.times.ticks
    room = (field.width - LEFT - RIGHT) / max(1, len(ticks) - 1)
    widest = max((width_of(words, 13) for _, words in ticks), default=0)
    y = field.y(field.shares.low) + 20
    shown = ticks[:: 1 if widest + 8 <= room else 2]
    return "".join(text(field.x(at), y, words, class_="chart-label") for at, words in shown)


def _mark(field: Field, at: float, words: str) -> str:
    x = field.x(at)
    rule = line(x, TOP, x, TOP + DEPTH, class_="chart-mark", stroke_dasharray="2 3")
    return rule + text(x, TOP - 12, words, class_="chart-tick", font_size=MARK)


def _corners(field: Field, stairs: Sequence[Stair], name: str) -> list[Place]:
    """Along the stairs: to the right, then up."""
    points = [(field.x(stairs[0].at), field.y(getattr(stairs[0], name)))]
    for before, after in pairwise(stairs):
        x = field.x(after.at)
        points += [(x, field.y(getattr(before, name))), (x, field.y(getattr(after, name)))]
    return points


def _path(points: Sequence[Place]) -> str:
    return "M" + " L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def _band(field: Field, stairs: Sequence[Stair]) -> str:
    around = [*_corners(field, stairs, "high"), *reversed(_corners(field, stairs, "low"))]
    return tag("path", d=_path(around) + " Z", class_="chart-band", fill_opacity=0.2)


def _stairs(field: Field, stairs: Sequence[Stair]) -> str:
    look = {"class_": "chart-line", "stroke": "currentColor", "stroke_width": 2, "fill": "none"}
    return tag("path", d=_path(_corners(field, stairs, "value")), **look)


def _goal(field: Field, goal: Goal) -> str:
    """A diamond where the curve should have passed, its words above it to the right."""
    x, y = field.x(goal.at), field.y(goal.value)
    shape = f"M{x - 6:.1f} {y:.1f} L{x:.1f} {y - 6:.1f} L{x + 6:.1f} {y:.1f} L{x:.1f} {y + 6:.1f} Z"
    diamond = tag("path", d=shape, class_="chart-goal", fill="none", stroke_width=2)
    return diamond + text(x + 22, TOP - 12, goal.text, "start", class_="chart-goal-text")
