"""Which colours can be read, by WCAG 2.2 (1.4.3 and 1.4.11), on a light page and on a dark one.

The grounds are those of static/surveys/customer.css.
"""

from __future__ import annotations

import colorsys
import re
from functools import lru_cache
from typing import NamedTuple

READABLE = 4.5  # to one, of text with what is behind it
HEX = re.compile(r"#[0-9a-f]{6}")


class Scheme(NamedTuple):
    """What a brand's colour meets: the page, the card on it, and the text on a button."""

    name: str
    ground: str
    card: str
    on_accent: str


LIGHT = Scheme("light", "#f3f5f7", "#ffffff", "#ffffff")
DARK = Scheme("dark", "#12161b", "#1c2229", "#12161b")


def contrast(one: str, other: str) -> float:
    """From 1 (the same) to 21 (black on white); both are written as `#1d4ed8`."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def least_contrast(colour: str, scheme: Scheme) -> float:
    """With the text on it, and as a text on the page and on the card."""
    return min(contrast(colour, other) for other in scheme[1:])


@lru_cache(maxsize=512)
def nearest_readable(colour: str, scheme: Scheme) -> str:
    """The same hue, made darker or lighter as little as it takes; itself if it can be read."""
    hue, light, saturation = colorsys.rgb_to_hls(*(part / 255 for part in _parts(colour)))
    shades = [colour]
    for step in range(1, 256):
        for lightness in (light - step / 255, light + step / 255):
            if 0 <= lightness <= 1:
                shades.append(_hex(colorsys.hls_to_rgb(hue, lightness, saturation)))
    return next(shade for shade in shades if least_contrast(shade, scheme) >= READABLE)


def _luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (part / 255 for part in _parts(colour))
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _parts(colour: str) -> tuple[int, int, int]:
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red, green, blue


def _hex(parts: tuple[float, float, float]) -> str:
    return "#" + "".join(f"{round(part * 255):02x}" for part in parts)
