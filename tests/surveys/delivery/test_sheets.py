"""Every mail to customers, in every language, against one built by the standard library."""

import re
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cache
from html import escape
from html.parser import HTMLParser

import pytest
from django.conf import settings
from hypothesis import example, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from surveys.admin.default_words import default_wording
from surveys.delivery.compiled import said
from surveys.delivery.headers import one_line
from surveys.delivery.sheets import Sheet, heads_up_sheet, survey_sheet
from surveys.models import Brand, Kind, Survey, Words
from surveys.models.wording import PLACEHOLDERS

LANGUAGES = [language for language, _ in settings.LANGUAGES]
SHEETS = st.tuples(st.sampled_from(LANGUAGES), st.sampled_from([*Kind.values, "heads-up"]))


def words_in(language: str, kind: str) -> Words:
    wording = default_wording(Survey(pk=1, kind=kind), language)
    return Words(**{name: getattr(wording, name) for name in Words.__dataclass_fields__})


@cache
def sheet_in(language: str, kind: str, named: bool = True) -> Sheet:
    survey = Survey(pk=1, kind=kind if kind in Kind.values else "nps")
    words = words_in(language, survey.kind)
    if kind == "heads-up":
        return heads_up_sheet(survey, words, "Alice", named=named)
    return survey_sheet(survey, words, named=named)


def values_of(name: str) -> dict[str, str]:
    link = "https://survey.example"
    return {"name": one_line(name), "product": one_line(name[::-1]),
            "answer": f"{link}/a/{'a' * 26}", "unsubscribe": f"{link}/u/{'u' * 26}",
            "privacy": f"{link}/p/{'p' * 26}"}  # fmt: skip


def slow(sheet: Sheet, values: dict[str, str]) -> bytes:
    mail = EmailMessage(policy=policy.SMTP)
    mail.set_content(said(sheet.text, values), cte="quoted-printable")
    marked_up = {name: escape(value) for name, value in values.items()}
    mail.add_alternative(said(sheet.html, marked_up), subtype="html", cte="quoted-printable")
    return mail.as_bytes()


def read(content: bytes) -> list[tuple[str, list[str]]]:
    """What a mail program makes of it: each part's type and lines."""
    mail = message_from_bytes(content, policy=policy.default)
    return [(part.get_content_type(), part.get_content().split()) for part in mail.iter_parts()]


@given(SHEETS, st.text(st.characters(exclude_categories=()), max_size=80))
@example(("ar", "nps"), "<b>ليلى</b>\r\n.\r\n--=_voc--")
@example(("ja", "heads-up"), "山田 太郎 %%answer%% {product} =20=\r\n")
@examples(deadline=None, max_examples=150)
def test_what_arrives_is_what_the_standard_library_would_have_sent(which, name):
    sheet, values = sheet_in(*which), values_of(name)
    body = sheet.form.body(values)
    assert read(body) == read(slow(sheet, values))
    assert max(map(len, body.split(b"\r\n"))) <= 76


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", [*Kind.values, "heads-up"])
def test_nothing_is_left_to_fill_in_and_it_stays_small(language, kind):
    sheet, values = sheet_in(language, kind), values_of("Ines Okafor")
    body = sheet.form.body(values)
    whole = "".join(" ".join(lines) for _, lines in read(body)) + sheet.subject(values)
    assert "%%" not in whole
    assert not PLACEHOLDERS.search(whole)
    assert len(body) < 50_000


@pytest.mark.parametrize("language", LANGUAGES)
def test_only_the_survey_itself_can_be_answered(language):
    for kind in Kind.values:
        scores = Kind(kind).scale
        text = said(sheet_in(language, kind).text, values_of("Jo"))
        assert [f"?score={score}\n" in text for score in range(12)] == [
            score in scores for score in range(12)
        ]
    assert "/a/" not in said(sheet_in(language, "heads-up").text, values_of("Jo"))


def test_words_are_compiled_once_and_edited_words_anew():
    survey, words = Survey(pk=1, kind="nps"), words_in("en", "nps")
    same = words_in("en", "nps")
    edited = Words(**{**words.__dict__, "intro": "Other words."})
    sheet = survey_sheet(survey, words, named=True)
    assert survey_sheet(survey, same, named=True) is sheet
    assert survey_sheet(survey, edited, named=True) is not sheet


def test_the_company_and_sender_are_part_of_what_is_compiled(settings):
    words = words_in("en", "nps")
    before = survey_sheet(Survey(pk=1, kind="nps"), words, named=True)
    settings.COMPANY = "Southwind"
    after = survey_sheet(Survey(pk=1, kind="nps"), words, named=True)
    assert "Southwind" in said(after.text, values_of("Jo"))
    assert "Southwind" not in said(before.text, values_of("Jo"))
    named = survey_sheet(Survey(pk=1, kind="nps", sender_name="The team"), words, named=True)
    assert "\n\nThe team\n" in said(named.text, values_of("Jo"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_somebody_without_a_name_is_greeted_in_every_language(language):
    greeting = said(sheet_in(language, "nps", named=False).text, values_of("")).splitlines()[0]
    assert greeting == greeting.strip()
    assert greeting


@pytest.fixture
def branded():
    brand = Brand(name="Ours", colour="#0f766e", logo_id="ab" * 32)
    return Survey(pk=1, kind="nps", brand=brand)


def test_a_brand_colours_the_scores_and_shows_its_logo(branded, settings):
    settings.SITE_URL, settings.COMPANY = "https://surveys.northwind.example", "Northwind"
    html = said(survey_sheet(branded, words_in("en", "nps"), named=True).html, values_of("Jo"))
    assert html.count("color:#0f766e;text-align:center") == 11
    assert f'src="https://surveys.northwind.example/brand/{"ab" * 32}"' in html
    assert 'alt="Northwind"' in html
    assert "a.score { color: #13988d !important;" in html


def test_what_a_brand_adds_is_the_same_for_every_recipient(branded):
    """So it tells nothing about who opens the mail."""
    sheet = survey_sheet(branded, words_in("en", "nps"), named=True)
    [place] = [at for at, piece in enumerate(sheet.html) if "/brand/" in str(piece)]
    assert re.search(r'src="[^"]+"', str(sheet.html[place]))[0].endswith('ab"')


def test_without_a_brand_no_mail_fetches_anything():
    for language in LANGUAGES:
        html = said(sheet_in(language, "nps").html, values_of("Jo"))
        assert re.findall(r"<(?:img|link|script)|url\(", html) == []


class Reader(HTMLParser):
    """What a person sees of a mail's HTML: its words, and where its links lead."""

    def __init__(self, html: str):
        super().__init__()
        self.words, self.links, self._hidden = "", [], []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag in ("head", "div", "a"):
            self._hidden.append(tag == "head" or "display:none" in given.get("style", ""))
        if tag == "a" and not any(self._hidden):
            self.links.append(given["href"])

    def handle_endtag(self, tag):
        if tag in ("head", "div", "a"):
            self._hidden.pop()

    def handle_data(self, data):
        if not any(self._hidden):
            self.words += f" {data}"


LINK = re.compile(r"https?://\S+")
WORD = re.compile(r"\w+")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", [*Kind.values, "heads-up"])
def test_text_and_html_say_the_same_and_lead_to_the_same(language, kind):
    sheet, values = sheet_in(language, kind), values_of("Ines Okafor")
    text, html = said(sheet.text, values), Reader(said(sheet.html, values))
    assert LINK.findall(text) == html.links
    assert {values["unsubscribe"], values["privacy"]} <= set(html.links)
    assert set(WORD.findall(LINK.sub("", text))) == set(WORD.findall(html.words))


CONDITIONAL = re.compile(r"<!--\[if mso(?: \| IE)?\]>(.*?)<!\[endif\]-->", re.S)
CELL = re.compile(
    r'<td width="36" height="40"[^>]*><a class="score" href="([^"]+)"[^>]*>\d+</a></td>'
)


@pytest.mark.parametrize(("language", "direction"), [("en", "ltr"), ("ar", "rtl")])
@pytest.mark.parametrize("kind", Kind.values)
def test_outlook_gets_the_scores_in_a_table_and_the_mail_600_pixels_wide(language, direction, kind):
    """Word, which draws it, knows neither blocks in a line nor a greatest width."""
    html = said(sheet_in(language, kind).html, values_of("Jo"))
    in_outlook, elsewhere = CONDITIONAL.sub(r"\1", html), CONDITIONAL.sub("", html)
    scores = [link for link in Reader(html).links if "?score=" in link]
    assert CELL.findall(in_outlook) == scores
    opening = (
        f'<table cellpadding="0" cellspacing="4" border="0" dir="{direction}"><tr><td width="36"'
    )
    assert in_outlook.count(opening) == 1
    assert in_outlook.count('width="600" style="width:600px;"') == 2
    assert in_outlook.count("<table") == in_outlook.count("</table>") > elsewhere.count("<table")
    assert 'width="36"' not in elsewhere
    assert "mso-hide:all" in html  # the link that only machines should find


def test_dark_colours_are_there_for_those_who_ask_and_for_outlook():
    html = said(sheet_in("en", "nps").html, values_of("Jo"))
    assert '<meta name="color-scheme" content="light dark"' in html
    assert '<meta name="supported-color-schemes" content="light dark"' in html
    rules = re.search(r"@media \(prefers-color-scheme: dark\) \{(.*?)\n      \}", html, re.S)[1]
    for dark in (
        "body, .page, .page > table { background: #12161b !important; }",
        ".card, .card > table { background: #1c2229 !important; }",
        ".ink div, .ink a { color: #e9edf1 !important; }",
        ".soft div, .soft a { color: #b3bdc8 !important; }",
        "a.score { color: #e9edf1 !important; background: #2a323c !important;",
    ):
        assert dark in rules
    assert "[data-ogsb] .card, [data-ogsb] .card > table { background: #1c2229" in html
    assert "[data-ogsc] .ink div { color: #e9edf1" in html
    body = html.partition("<body")[2]
    for name in ("page", "card", "ink", "soft", "score"):
        assert f'class="{name}"' in body
