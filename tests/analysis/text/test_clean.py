import pytest

from analysis.text import clean


@pytest.mark.parametrize(
    "comment",
    [
        "",
        None,
        " ",
        "n/a",
        "N.A.",
        "Nothing.",
        "none",
        "no comment",
        "-",
        "???",
        "👍👍",
        "10",
        "a",
        "it was what it was",
        "xxxx",
        "Nichts",
        "Rien",
        "nada",
        "niente",
        "geen",
        float("nan"),
    ],
)
def test_says_nothing(comment):
    assert clean.says_nothing(comment)


@pytest.mark.parametrize(
    "comment",
    [
        "slow",
        "Nothing arrived",
        "no invoice",
        "Car park",
        "Lieferung",
        "nicht pünktlich",
        "配送が遅い",
    ],
)
def test_says_something(comment):
    assert not clean.says_nothing(comment)


def test_a_comment_is_cut_before_anything_else_is_done():
    huge = "slow delivery " * 100_000
    assert len(clean.tidy(huge)) <= clean.MAX_CHARACTERS
    assert len(clean.tokens("ab " * 600)) == clean.MAX_TOKENS


def test_a_cut_text_stays_cut_when_its_characters_are_composed():
    assert len(clean.tidy("\u0958" * 5000)) <= clean.MAX_CHARACTERS


def test_tidy_makes_one_line_of_valid_unicode():
    assert clean.tidy("  late\x00\r\nagain\u202e \u200b!") == "late again !"
    assert clean.tidy("bad \ud83d\ude00 \ud800") == "bad \U0001f600 \ufffd"
    clean.tidy("\udfff" * 10).encode("utf-8")


def test_tidy_takes_what_is_no_text_for_an_empty_comment():
    assert [clean.tidy(value) for value in (None, 3, float("nan"), b"late")] == [""] * 4


def test_tokens_are_lower_case_words():
    assert clean.tokens("It’s LATE, 3 days: see https://example.com/x") == [
        "it's",
        "late",
        "days",
        "see",
    ]


def test_tokens_leave_out_redaction_marks_but_not_their_words():
    assert clean.tokens("[name] wrote to [e-mail], my name is wrong") == [
        "wrote",
        "to",
        "my",
        "name",
        "is",
        "wrong",
    ]


def test_elided_articles_are_cut_off():
    assert clean.tokens("l'attente d'une facture") == ["attente", "une", "facture"]


def test_the_key_ignores_case_signs_and_numbers():
    assert clean.key("Late, 3 days!") == clean.key("late days") == "late days"
    assert clean.key("Nothing!") == ""
