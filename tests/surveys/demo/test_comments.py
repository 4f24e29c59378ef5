import random

import pytest

from surveys.demo.comments import CAUSES, LANGUAGES, STRENGTHS, comment, phrases

BANDS = ("detractor", "passive", "promoter")


def many(count: int, seed: int = 3) -> list[str]:
    rng = random.Random(seed)
    texts = []
    for _ in range(count):
        band = rng.choices(BANDS, (35, 25, 40))[0]
        cause = rng.choice(STRENGTHS if band == "promoter" else list(CAUSES))
        language = rng.choices(LANGUAGES, (75, 12, 8, 5))[0]
        texts.append(comment(rng, cause, band, language))
    return texts


def test_at_least_85_percent_of_2500_comments_differ():
    texts = many(2_500)
    assert len(set(texts)) >= 0.85 * len(texts)


def test_the_same_seed_gives_the_same_words():
    assert many(50) == many(50)
    assert many(50) != many(50, seed=4)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("cause", [*CAUSES, *STRENGTHS])
def test_every_cause_has_words_for_every_band(cause, language):
    rng = random.Random(1)
    for band in BANDS:
        texts = [comment(rng, cause, band, language) for _ in range(40)]
        assert all(text.strip() and "{" not in text for text in texts)


def test_a_language_without_a_bank_writes_in_english():
    assert phrases("ja") == phrases("en")


def test_an_unknown_cause_is_refused():
    with pytest.raises(KeyError):
        [comment(random.Random(n), "no_such_cause", "passive") for n in range(3)]
