"""The forms of a page, read from its HTML as a program reads them."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"input", "br", "hr", "img", "link", "meta", "source", "wbr"}
UNSEEN = {"hidden", "inert"}


@dataclass
class Form:
    is_seen: bool  # it does not stand in anything `hidden` or `inert`
    action: str
    method: str
    values: dict[str, str] = field(default_factory=dict)  # what is sent when nobody touches it
    choices: dict[str, list[str]] = field(default_factory=dict)  # of its radios
    texts: list[str] = field(default_factory=list)  # where something can be written
    seen_texts: list[str] = field(default_factory=list)  # and where a person would do so
    buttons: list[dict[str, str]] = field(default_factory=list)  # what each of them adds


class _Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.forms: list[Form] = []
        self.form: Form | None = None
        self.open: list[tuple[str, bool]] = []  # tags, and whether what is in them is unseen
        self.textarea = ""

    def handle_starttag(self, tag, attributes):
        said = {name: value or "" for name, value in attributes}
        is_unseen = bool(UNSEEN & said.keys()) or any(unseen for _, unseen in self.open)
        if tag not in VOID:
            self.open.append((tag, is_unseen))
        if tag == "form":
            method = said.get("method", "get").upper()
            self.form = Form(not is_unseen, said.get("action", ""), method)
            self.forms.append(self.form)
        elif self.form:
            known = len(self.form.texts)
            self._in_form(self.form, tag, said)
            if not is_unseen:
                self.form.seen_texts += self.form.texts[known:]

    def _in_form(self, form: Form, tag: str, said: dict[str, str]) -> None:
        name, value = said.get("name", ""), said.get("value", "")
        kind = said.get("type", "submit" if tag == "button" else "text")
        if tag in ("button", "input") and kind == "submit":
            form.buttons.append({name: value} if name else {})
        elif tag == "textarea":
            form.values[name], self.textarea = "", name
            form.texts.append(name)
        elif tag == "input" and kind in ("radio", "checkbox"):
            form.choices.setdefault(name, []).append(value)
            if "checked" in said:
                form.values[name] = value
        elif tag == "input":
            form.values[name] = value
            if kind != "hidden":
                form.texts.append(name)

    def handle_data(self, data):
        if self.form and self.textarea:
            self.form.values[self.textarea] += data

    def handle_endtag(self, tag):
        while any(tag == one for one, _ in self.open) and self.open.pop()[0] != tag:
            pass
        if tag == "textarea":
            self.textarea = ""
        elif tag == "form":
            self.form = None


def forms_of(page: str) -> list[Form]:
    reader = _Reader()
    reader.feed(page)
    return reader.forms


def seen_form(page: str) -> Form:
    """The first form that a person sees. Raises LookupError."""
    for form in forms_of(page):
        if form.is_seen:
            return form
    raise LookupError(f"There is no form to see in: {page[:500]}")
