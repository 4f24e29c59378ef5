"""What customers read is there in each language, whole, and compiled."""

import ast
import gettext
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import translation
from django.utils.translation.template import templatize

ROOM = Path(__file__).resolve().parent.parent.parent / "surveys"
LANGUAGES = [language for language, _ in settings.LANGUAGES if language != "en"]
PLACEHOLDER = re.compile(r"%\(\w+\)s")
TEXT = r"""(?:u?"(?:[^"\\]|\\.)*"|u?'(?:[^'\\]|\\.)*')"""
CALL = re.compile(rf"\b(?:_|gettext|gettext_lazy)\(\s*({TEXT}+)")
ENTRY = re.compile(r'^msgid (".*")\nmsgstr (".*")$', re.MULTILINE)


def said_in_english() -> set[str]:
    """Every text that templates and code ask to be translated."""
    templates = [path for path in (ROOM / "templates").rglob("*.*") if path.is_file()]
    sources = [templatize(path.read_text()) for path in templates]
    sources += [path.read_text() for path in ROOM.rglob("*.py")]
    return {ast.literal_eval(text) for source in sources for text in CALL.findall(source)}


def written(language: str) -> dict[str, str]:
    """The translations as translators edit them; each stands on one line."""
    text = (ROOM / "locale" / language / "LC_MESSAGES" / "django.po").read_text()
    entries = [(ast.literal_eval(a), ast.literal_eval(b)) for a, b in ENTRY.findall(text)]
    assert len(entries) == text.count("msgid ")
    return {said: translated for said, translated in entries if said}


def compiled(language: str) -> dict[str, str]:
    """The translations that Django reads."""
    with (ROOM / "locale" / language / "LC_MESSAGES" / "django.mo").open("rb") as file:
        catalog = gettext.GNUTranslations(file)._catalog
    return {said: translated for said, translated in catalog.items() if said}


def test_there_are_texts_to_translate():
    assert {
        "Send my answer",
        "The survey “%(name)s”",
        "Please choose a score.",
    } <= said_in_english()


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_is_translated_and_nothing_else(language):
    translated = written(language)
    assert set(translated) == said_in_english()
    assert [said for said, text in translated.items() if not text.strip() or text == said] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_was_written_is_what_was_compiled(language):
    """After an edit: cd surveys && django-admin compilemessages"""
    assert compiled(language) == written(language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_placeholders_are_those_of_the_original(language):
    differing = [
        said
        for said, text in written(language).items()
        if sorted(PLACEHOLDER.findall(said)) != sorted(PLACEHOLDER.findall(text))
    ]
    assert differing == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_django_finds_them(language):
    with translation.override(language):
        assert translation.gettext("Send my answer") == written(language)["Send my answer"]
