"""What a file really is, read from its own bytes: PNG, JPEG and WebP that stand still.

Sources: PNG (W3C, 2025) 5 and 11.2; JPEG (ITU-T T.81) B.1-B.2; WebP (RFC 9649) 2.3-2.7.
"""

from __future__ import annotations

from typing import NamedTuple

PNG, JPEG, WEBP = "image/png", "image/jpeg", "image/webp"
FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}  # the JPEG markers that tell the size
WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD9)}


class Image(NamedTuple):
    content_type: str
    width: int  # pixels
    height: int


class NotAnImage(ValueError):
    """It is none of the three kinds, is cut off, or moves."""


def read(data: bytes) -> Image:
    """Kind and size of a picture. Raises NotAnImage."""
    for content_type, starts, size in (
        (PNG, data.startswith(b"\x89PNG\r\n\x1a\n"), _png),
        (JPEG, data.startswith(b"\xff\xd8\xff"), _jpeg),
        (WEBP, data[:4] == b"RIFF" and data[8:12] == b"WEBP", _webp),
    ):
        if starts:
            try:
                width, height = size(data)
            except IndexError:
                raise NotAnImage("This picture is cut off.") from None
            return Image(content_type, width, height)
    raise NotAnImage("This is no PNG, JPEG or WebP picture.")


def _png(data: bytes) -> tuple[int, int]:
    if data[12:16] != b"IHDR" or data[-8:-4] != b"IEND":
        raise NotAnImage("This PNG picture is cut off.")
    if b"acTL" in data:
        raise NotAnImage("This PNG picture moves; a logo stands still.")
    return _number(data, 16, 4, "big"), _number(data, 20, 4, "big")


def _jpeg(data: bytes) -> tuple[int, int]:
    if not data.rstrip(b"\0").endswith(b"\xff\xd9"):
        raise NotAnImage("This JPEG picture is cut off.")
    at = 2
    while True:
        if data[at] != 0xFF:
            raise NotAnImage("This JPEG picture is damaged.")
        marker = data[at + 1]
        if marker in FRAMES:
            return _number(data, at + 7, 2, "big"), _number(data, at + 5, 2, "big")
        if marker == 0xFF:  # padding
            at += 1
        elif marker in WITHOUT_LENGTH:
            at += 2
        else:
            at += 2 + max(_number(data, at + 2, 2, "big"), 2)


def _webp(data: bytes) -> tuple[int, int]:
    if len(data) < 8 + _number(data, 4, 4, "little"):
        raise NotAnImage("This WebP picture is cut off.")
    kind = data[12:16]
    if kind == b"VP8X":
        if data[20] & 0b10:
            raise NotAnImage("This WebP picture moves; a logo stands still.")
        return _number(data, 24, 3, "little") + 1, _number(data, 27, 3, "little") + 1
    if kind == b"VP8L":
        bits = _number(data, 21, 4, "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return _number(data, 26, 2, "little") & 0x3FFF, _number(data, 28, 2, "little") & 0x3FFF


def _number(data: bytes, at: int, length: int, order: str) -> int:
    part = data[at : at + length]
    if len(part) < length:
        raise NotAnImage("This picture is cut off.")
    return int.from_bytes(part, "big" if order == "big" else "little")
