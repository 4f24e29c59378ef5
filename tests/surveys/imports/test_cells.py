from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from surveys.imports import cells
from surveys.imports.cells import BadCell

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (" Ada@Example.COM ", "ada@example.com"),
        ("ada+shop@example.com", "ada+shop@example.com"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("ada@STRASSE.example", "ada@strasse.example"),
        ("ada@straße.example", "ada@xn--strae-oqa.example"),
    ],
)
def test_email_is_normalised(text, value):
    assert cells.email(text) == value


NO_EMAIL = ["ada", "ada@", "@b.example", "a b@c.example", "a@b..example"]
TOO_LONG = ["a" * 250 + "@b.example", "a@" + "b" * 70 + ".example"]


@pytest.mark.parametrize("text", NO_EMAIL + TOO_LONG)
def test_what_is_no_email_is_refused(text):
    with pytest.raises(BadCell, match="e-mail"):
        cells.email(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1200", "1200"),
        ("1200.50", "1200.50"),
        ("1.200,50", "1200.50"),
        ("1,200.50", "1200.50"),
        ("€ 1,200", "1200"),
        ("EUR 1 200,5", "1200.5"),
        ("1'200'000", "1200000"),
        ("1.234.567", "1234567"),
    ],
)
def test_money_is_read_as_people_write_it(text, value):
    assert cells.money(text) == Decimal(value)


@pytest.mark.parametrize("text", ["-1", "1e9", "NaN", "much", "1.2.3,4,5x", "1" * 15, "٥"])
def test_what_is_no_money_is_refused(text):
    with pytest.raises(BadCell):
        cells.money(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2026-03-04", datetime(2026, 3, 4, 11, tzinfo=UTC)),
        ("04.03.2026", datetime(2026, 3, 4, 11, tzinfo=UTC)),
        ("2026/3/4", datetime(2026, 3, 4, 11, tzinfo=UTC)),
        ("2026-03-04 08:30", datetime(2026, 3, 4, 7, 30, tzinfo=UTC)),
        ("2026-07-04T08:30:00", datetime(2026, 7, 4, 6, 30, tzinfo=UTC)),
        ("2026-03-04T08:30:00Z", datetime(2026, 3, 4, 8, 30, tzinfo=UTC)),
        ("2026-03-04 08:30:00 UTC", datetime(2026, 3, 4, 8, 30, tzinfo=UTC)),
        ("2026-03-04T08:30:00-05:00", datetime(2026, 3, 4, 13, 30, tzinfo=UTC)),
    ],
)
def test_moments_become_utc(text, value):
    assert cells.moment(text, BERLIN) == value


@pytest.mark.parametrize(
    "text", ["03/04/2026", "yesterday", "2026-02-30", "0001-01-01", "9999-12-31T23:00:00-14:00",
             "2026-03-04T08:30:00+24:00", "1899-01-01", "44927"]
)  # fmt: skip
def test_ambiguous_and_impossible_dates_are_refused(text):
    with pytest.raises(BadCell):
        cells.moment(text, BERLIN)


def test_a_day_stays_the_day_that_was_written():
    assert cells.day("2026-12-31") == date(2026, 12, 31)


@pytest.mark.parametrize(("text", "value"), [("0", 0), (" 10 ", 10), ("9.0", 9)])
def test_scores_are_whole_numbers_on_the_scale(text, value):
    assert cells.score(text, range(11)) == value


@pytest.mark.parametrize("text", ["11", "-1", "5.5", "٥", "nine", "true", "9" * 5_000])
def test_other_scores_are_refused(text):
    with pytest.raises(BadCell):
        cells.score(text, range(11))


def test_yes_and_no_in_some_languages():
    assert [cells.yes_or_no(text) for text in ("Yes", "x", "ja", "TRUE", "1")] == [True] * 5
    assert [cells.yes_or_no(text) for text in ("no", "Nein", "0")] == [False] * 3
    with pytest.raises(BadCell, match="neither yes nor no"):
        cells.yes_or_no("perhaps")


def test_languages_and_zones():
    assert cells.language("pt_BR") == "pt-br"
    assert cells.time_zone("Europe/Berlin") == "Europe/Berlin"
    with pytest.raises(BadCell, match="such as en"):
        cells.language("English, please")
    with pytest.raises(BadCell, match="such as Europe/Berlin"):
        cells.time_zone("Berlin")


def test_words_are_one_line_without_control_characters():
    assert cells.words("  Zoë \n van\tDyk\x07 ", 20) == "Zoë van Dyk"
    with pytest.raises(BadCell, match="Longer than 5"):
        cells.words("abcdef", 5)


@pytest.mark.parametrize("text", ["de", " DE ", "De"])
def test_a_country_is_two_letters(text):
    assert cells.country(text) == "DE"


@pytest.mark.parametrize("text", ["Germany", "D", "D1", "ÄÖ"])
def test_what_is_no_country_is_refused(text):
    with pytest.raises(cells.BadCell, match="Write two letters such as DE"):
        cells.country(text)
