"""SVG as text: the few parts that the charts are drawn from, every word of it escaped."""

import re
from collections.abc import Callable, Sequence
from html import escape
from zlib import crc32

UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
EM_PER_CHARACTER = 0.56
FONT = 13.0
WIDE, NARROW = 720.0, 300.0

Draw = Callable[[float, str], tuple[str, float]]


class Svg(str):
    """Markup whose texts are escaped; templates print it as it is (the `__html__` convention)."""

    __slots__ = ()

    def __html__(self) -> str:
        return str(self)


def clean(text: object) -> str:
    """`text` for an element or an attribute: escaped, control characters shown as U+FFFD."""
    return escape(UNPRINTABLE.sub("\ufffd", str(text)))


def tag(name: str, *children: str, **attributes: object) -> str:
    """An element. Children are markup already; `class_` and `font_size` become class and
    font-size; numbers are rounded to a tenth of a unit; attributes that are None are left out."""
    words = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_value(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return f"<{name}{words}>{''.join(children)}</{name}>" if children else f"<{name}{words}/>"


def text(x: float, y: float, words: object, anchor: str = "middle", **attributes: object) -> str:
    """A line of text whose baseline is at y, in the text colour of the page."""
    return tag("text", clean(words), x=x, y=y, text_anchor=anchor, **attributes)


def line(x1: float, y1: float, x2: float, y2: float, **attributes: object) -> str:
    return tag("line", x1=x1, y1=y1, x2=x2, y2=y2, stroke="currentColor", **attributes)


def width_of(words: str, font_size: float) -> float:
    """About how wide `words` are: the server has no fonts to measure with."""
    return len(words) * font_size * EM_PER_CHARACTER


def shorten(words: str, width: float, font_size: float) -> str:
    """`words` cut to about `width` units, the cut shown by an ellipsis."""
    room = max(1, int(width / width_of("n", font_size)))
    return words if len(words) <= room else words[: room - 1].rstrip() + "\u2026"


def drawn(draw: Draw, title: str, said: Sequence[object]) -> Svg:
    """A wide and a narrow picture of one chart, each with its own ids; "" where nothing is said.

    `draw(width, ident)` gives the markup and its height; `said` becomes the description.
    """
    if not said:
        return Svg()
    description = "; ".join(map(str, said))
    ident = f"chart-{crc32((title + description).encode('utf-8', 'replace')):08x}"
    wide = _picture(draw, WIDE, f"{ident}-wide", "chart-wide", title, description)
    narrow = _picture(draw, NARROW, f"{ident}-narrow", "chart-narrow", title, description)
    return Svg(tag("div", wide, narrow, class_="chart"))


def _picture(
    draw: Draw, width: float, ident: str, class_: str, title: str, description: str
) -> str:
    body, height = draw(width, ident)
    return tag(
        "svg",
        tag("title", clean(title), id=f"{ident}-title"),
        tag("desc", clean(description), id=f"{ident}-desc"),
        body,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width:g} {height:g}",
        role="img",
        aria_labelledby=f"{ident}-title",
        aria_describedby=f"{ident}-desc",
        class_=class_,
        font_family="system-ui, sans-serif",
        font_size=FONT,
        fill="currentColor",
    )


def _value(value: object) -> str:
    return f"{round(value, 1):g}" if isinstance(value, float) else clean(value)
