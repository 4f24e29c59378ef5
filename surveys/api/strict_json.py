"""JSON as RFC 8259 means it (I-JSON, RFC 7493): what two readers could understand differently, or a
database cannot hold, is refused before anything else looks at it."""

from __future__ import annotations

import json
import math

from django.utils.http import parse_header_parameters
from rest_framework.exceptions import APIException, ParseError, UnsupportedMediaType
from rest_framework.parsers import BaseParser

LARGEST_BODY = 1024 * 1024  # bytes
DEEPEST = 20  # levels of lists and objects


class TooLarge(APIException):
    status_code = 413
    default_detail = f"The body is larger than {LARGEST_BODY:,} bytes. Send it in parts."
    default_code = "too_large"


class StrictJSONParser(BaseParser):
    """One JSON object in UTF-8. Raises ParseError, TooLarge, UnsupportedMediaType."""

    media_type = "application/json"

    def parse(self, stream, media_type=None, parser_context=None) -> dict:
        charset = parse_header_parameters(media_type or "")[1].get("charset", "utf-8")
        if charset.lower() not in {"utf-8", "utf8"}:
            raise UnsupportedMediaType(media_type, "JSON is read in UTF-8 only.")
        body = stream.read(LARGEST_BODY + 1)
        if len(body) > LARGEST_BODY:
            raise TooLarge
        try:
            return strictly(body.decode("utf-8"))
        except UnicodeDecodeError as error:
            raise ParseError(f"The body is not UTF-8 (byte {error.start}).") from error
        except RecursionError as error:
            raise ParseError(TOO_DEEP) from error
        except ValueError as error:
            raise ParseError(f"The body is not valid JSON: {error}") from error


TOO_DEEP = f"Lists and objects are nested more than {DEEPEST} levels deep."


def strictly(text: str) -> dict:
    """The object that `text` holds. Raises ValueError or RecursionError for anything doubtful."""
    value = json.loads(
        text, object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite
    )
    if not isinstance(value, dict):
        raise ValueError("send one object, in braces")
    _check(value, 1)
    return value


def _unique(pairs: list[tuple[str, object]]) -> dict:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("an object holds the same name twice")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is too large")
    return number


def _check(value: object, depth: int) -> None:
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, dict | list):
        if depth > DEEPEST:
            raise ValueError(TOO_DEEP)
        for item in value.values() if isinstance(value, dict) else value:
            _check(item, depth + 1)
        for name in value if isinstance(value, dict) else ():
            _check_text(name)


def _check_text(text: str) -> None:
    if "\x00" in text:
        raise ValueError("a text holds the character U+0000")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError("a text holds half of a surrogate pair") from error
