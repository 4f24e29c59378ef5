"""What a person wrote in a mail: its text, without markup and without what they quoted."""

from __future__ import annotations

import re
from email.message import Message
from html import unescape

LENGTH = 5_000  # characters that are kept
READ = 200_000  # characters that are looked at
INVISIBLE = {"head", "script", "style", "template", "title"}
BREAKS = {"br", "p", "div", "tr", "li", "h1", "h2", "h3", "blockquote"}
TAG_NAME = re.compile(r"/?[a-z0-9]*")
QUOTE_BEGINS = re.compile(
    r"^\s*(?:-{2,}\s*(?:original message|ursprüngliche nachricht|message d'origine)\s*-{2,}"
    r"|_{10,}"
    r"|(?:on|am|le|el|em|il|op)\b.{0,200}\b(?:wrote|schrieb|a écrit|escribió|escreveu|ha scritto"
    r"|schreef)\b.{0,80}:)\s*$",
    re.IGNORECASE,
)


def text_of(mail: Message) -> str:
    """The first text part, else the first HTML part as text; at most 5,000 characters.

    Never follows a mail that is attached, never opens an attachment.
    """
    parts = list(_readable(mail))
    by_type = {part.get_content_type(): part for part in reversed(parts)}
    if plain := by_type.get("text/plain"):
        text = decoded(plain)
    elif html := by_type.get("text/html"):
        text = _without_markup(decoded(html))
    else:
        text = ""
    return (clean(_without_quotes(text)) or clean(text))[:LENGTH]


def decoded(part: Message) -> str:
    """The characters of a part, whatever it says about its own encoding."""
    raw = part.get_payload(decode=True)
    raw = raw[:READ] if isinstance(raw, bytes) else b""
    charset = part.get_content_charset() or "utf-8"
    try:
        return raw.decode(charset, "replace")
    except (LookupError, UnicodeError, ValueError):
        return raw.decode("utf-8", "replace")


def clean(text: str) -> str:
    """What the database and a page can hold: no control characters, no halves of characters."""
    text = text.encode("utf-8", "replace").decode().replace("\r\n", "\n").replace("\r", "\n")
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f]", "", text).strip()


def _readable(mail: Message):
    if mail.get_content_type() == "message/rfc822" or mail.get_filename():
        return
    if mail.is_multipart():
        for part in mail.get_payload():
            yield from _readable(part)
    elif mail.get_content_type() in ("text/plain", "text/html"):
        yield mail


def _without_quotes(text: str) -> str:
    """Up to the line that introduces the mail they answer, and without lines that quote it."""
    kept: list[str] = []
    for line in text.splitlines():
        if QUOTE_BEGINS.match(line[:400]):
            break
        if not line.startswith(">"):
            kept.append(line.rstrip())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept))


def _without_markup(markup: str) -> str:
    """Text out of HTML, in one pass: a hostile mail costs no more time than its length."""
    opened, *commented = markup.split("<!--")
    first, *pieces = "".join([opened, *(_after(piece, "-->") for piece in commented)]).split("<")
    text, inside = [first], ""
    for piece in pieces:
        name = TAG_NAME.match(piece.lower())[0]
        if inside:
            inside = "" if name == f"/{inside}" else inside
        elif name in INVISIBLE:
            inside = name
        if name.lstrip("/") in BREAKS:
            text.append("\n")
        if not inside:
            text.append(_after(piece, ">"))
    return unescape("".join(text))


def _after(piece: str, end: str) -> str:
    return piece.partition(end)[2]
