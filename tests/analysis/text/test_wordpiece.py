import pytest

from analysis.text import wordpiece


def spelled(text: str, longest: int = 128) -> list[str]:
    names = {number: piece for piece, number in wordpiece.vocabulary().items()}
    return [names[number] for number in wordpiece.pieces(text, longest)]


def test_the_vocabulary_is_the_one_the_encoder_was_taught():
    known = wordpiece.vocabulary()
    assert len(known) == 30_522
    marks = [known["[CLS]"], known["[SEP]"], known["[UNK]"]]
    assert marks == [wordpiece.BEGIN, wordpiece.END, wordpiece.UNKNOWN]


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("", []),
        ("Unaffordable!", ["una", "##ff", "##ord", "##able", "!"]),
        ("Café, naïve ÉCOLE", ["cafe", ",", "naive", "ecole"]),
        ("It's £3_5", ["it", "'", "s", "£3", "_", "5"]),
        ("中文", ["中", "文"]),
        ("👍", ["[UNK]"]),
        ("a" * 101, ["[UNK]"]),
    ],
)
def test_words_are_cut_into_known_pieces(text, pieces):
    assert spelled(text) == ["[CLS]", *pieces, "[SEP]"]


def test_a_long_text_is_cut_and_still_ends():
    assert spelled("slow " * 1000, longest=5) == ["[CLS]", "slow", "slow", "slow", "[SEP]"]
