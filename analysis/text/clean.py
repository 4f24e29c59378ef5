"""Normalising a comment before anything reads it: cut first, then tidied, then split into words."""

from __future__ import annotations

import re
import unicodedata

from analysis.text.lexicon import FILLERS
from analysis.text.words import guess_language, is_content

MAX_CHARACTERS = 2000
MAX_TOKENS = 300

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]+")
_SPACES = re.compile(r"\s+")
_LINK = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_MARK = re.compile(r"\[(?:e-mail|phone|number|name|link)\]")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_ELISION = re.compile(r"^(?:[cdjlmnst]|qu|dell|nell|all|sull|un)'(?=[^\W\d_]{2})")


def tidy(comment: object) -> str:
    """The comment as one line of valid Unicode, 2,000 characters at most; "" if it is no text."""
    if not isinstance(comment, str):
        return ""
    text = _join_surrogates(comment[:MAX_CHARACTERS])
    text = unicodedata.normalize("NFC", _CONTROL.sub(" ", text))
    return _SPACES.sub(" ", text).strip()[:MAX_CHARACTERS]


def _join_surrogates(text: str) -> str:
    """Pairs become their character, a lone one U+FFFD, which every encoder accepts."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def spoken(text: str) -> str:
    """The text without links and redaction marks."""
    return _MARK.sub(" . ", _LINK.sub(" . ", text))


def tokens(text: str) -> list[str]:
    """Up to 300 lower-case words of a tidied text, without numbers, links and redaction marks."""
    plain = spoken(text).lower().replace("’", "'")
    return [_ELISION.sub("", word) for word in _WORD.findall(plain)[:MAX_TOKENS]]


def key(text: str) -> str:
    """What makes two tidied texts the same comment: their words; "" for one that says nothing."""
    words = tokens(text)
    language = guess_language(words)
    telling = any(is_content(word, language) and word not in FILLERS for word in words)
    return " ".join(words) if telling else ""


def says_nothing(comment: object) -> bool:
    """Whether a comment holds no cause: empty, "n/a", "nothing", signs only or stop words only."""
    return not key(tidy(comment))
