"""Splitting text into the word pieces of BERT, whose vocabulary the sentence encoder was taught.

Devlin et al. (2019), "BERT: Pre-training of Deep Bidirectional Transformers"; the uncased English
vocabulary, `wordpiece.txt`, is Google's, under the Apache License 2.0. The usual library for this
brings a client for downloading models with it, which nothing here may do.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from pathlib import Path

BEGIN, END, UNKNOWN = 101, 102, 100
_LONGEST_WORD = 100
_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002fa1f"
_SIGNS = re.escape("$+<=>^`|~") + re.escape(
    "".join(chr(code) for code in range(0x10000) if unicodedata.category(chr(code))[0] == "P")
)
_WORD = re.compile(rf"[{_HAN}{_SIGNS}]|[^\s{_HAN}{_SIGNS}]+")


@cache
def vocabulary() -> dict[str, int]:
    """Piece to number; a piece inside a word starts with "##"."""
    lines = Path(__file__).with_name("wordpiece.txt").read_text(encoding="utf-8").split("\n")
    return {piece: number for number, piece in enumerate(lines[:-1])}


def pieces(text: str, longest: int) -> list[int]:
    """The numbers of at most `longest` pieces, the marks for begin and end included."""
    numbers = [BEGIN]
    for word in _WORD.findall(_plain(text)):
        numbers += _pieces_of(word)
        if len(numbers) >= longest:
            break
    return [*numbers[: longest - 1], END]


def _plain(text: str) -> str:
    """Lower case without accents."""
    letters = unicodedata.normalize("NFD", text.lower())
    return "".join(letter for letter in letters if unicodedata.category(letter) != "Mn")


@lru_cache(maxsize=50_000)
def _pieces_of(word: str) -> tuple[int, ...]:
    """The longest known piece first, then the longest that goes on from there."""
    if len(word) > _LONGEST_WORD:
        return (UNKNOWN,)
    known = vocabulary()
    found: list[int] = []
    start = 0
    while start < len(word):
        lead = "##" if start else ""
        stops = range(len(word), start, -1)
        stop = next((stop for stop in stops if lead + word[start:stop] in known), None)
        if stop is None:
            return (UNKNOWN,)
        found.append(known[lead + word[start:stop]])
        start = stop
    return tuple(found)
