"""Letters that differ in a few places only: everything else is encoded once (RFC 2045-2047).

A recipient's values are encoded for their place and stand between soft line breaks, so that
filling a letter in is joining bytes, and nothing that anybody is called changes its structure.
"""

from __future__ import annotations

import re
from binascii import b2a_qp
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby

BOUNDARY = "=_voc"  # quoted-printable writes every “=” as “=3D”: no text can end a part early
OPENING = (
    f'MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary="{BOUNDARY}"\r\n\r\n'
).encode()
CLOSING = f"\r\n--{BOUNDARY}--\r\n".encode()
MARK = re.compile(r"%%(\w+)%%")


@dataclass(frozen=True)
class Place:
    """Where the value of that name goes."""

    name: str


Pieces = Sequence[str | Place]
Values = Mapping[str, str]


def mark(name: str) -> str:
    """What stands for a field in a template of ours; MJML and HTML escaping leave it alone."""
    return f"%%{name}%%"


def cut(template: str, fields: Mapping[str, Pieces]) -> Pieces:
    """The template in pieces, each mark replaced by the pieces of its field, or by a place.

    Only the template is searched for marks, never what people wrote into the fields.
    """
    pieces: list[str | Place] = []
    for at, part in enumerate(MARK.split(template)):
        pieces += fields.get(part, [Place(part)]) if at % 2 else [part]
    return pieces


def said(pieces: Pieces, values: Values) -> str:
    return "".join(values[piece.name] if isinstance(piece, Place) else piece for piece in pieces)


class Form:
    """A body of text and HTML with places to fill in."""

    def __init__(self, text: Pieces, html: Pieces):
        self._text = _Part("plain", text)
        self._html = _Part("html", html)

    def body(self, values: Values) -> bytes:
        """The body with its MIME headers; follows right after the other headers of a mail."""
        text = {name: unfinished(value) for name, value in values.items()}
        html = {name: unfinished(escape(value)) for name, value in values.items()}
        return OPENING + self._text.filled(text) + self._html.filled(html) + CLOSING


def only_text(text: str) -> bytes:
    """The body of a mail without HTML."""
    return b"MIME-Version: 1.0\r\n" + _part_opening("plain") + quoted(text)


class _Part:
    def __init__(self, subtype: str, pieces: Pieces):
        opening = f"\r\n--{BOUNDARY}\r\n".encode() + _part_opening(subtype)
        self._chunks = [opening]
        self._places: list[tuple[int, str]] = []
        *pieces, last = _merged([*pieces, ""])
        for piece in pieces:
            if isinstance(piece, Place):
                self._places.append((len(self._chunks), piece.name))
                self._chunks.append(b"")
            else:
                self._chunks.append(unfinished(piece))
        self._chunks.append(quoted(str(last)))

    def filled(self, values: Mapping[str, bytes]) -> bytes:
        chunks = self._chunks.copy()
        for at, name in self._places:
            chunks[at] = values[name]
        return b"".join(chunks)


def _part_opening(subtype: str) -> bytes:
    return (
        f'Content-Type: text/{subtype}; charset="utf-8"\r\n'
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    ).encode()


def quoted(text: str) -> bytes:
    """Quoted-printable in lines of at most 76 octets (RFC 2045, 6.7)."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return b2a_qp(lines.encode("utf-8", "replace"), istext=True).replace(b"\n", b"\r\n")


def unfinished(text: str) -> bytes:
    """The same for a text after which the line goes on: it ends in a soft line break."""
    return quoted(text + "x")[:-1] + b"=\r\n"  # the x keeps room for the “=”


def _merged(pieces: Pieces) -> Iterator[str | Place]:
    for is_place, run in groupby(pieces, key=lambda piece: isinstance(piece, Place)):
        if is_place:
            yield from run
        else:
            yield "".join(map(str, run))
