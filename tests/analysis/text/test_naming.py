import pytest

from analysis.text.naming import Phrases, name_groups, typical_quotes

WAITING = [
    "The waiting time on the phone is too long",
    "Your waiting times are a joke",
    "A waiting time of an hour",
    "My waiting time was forty minutes",
]
CASH = [
    "The ATM kept my card",
    "Your ATM is broken",
    "I went to the ATM and the ATM was empty",
    "An ATM without cash",
]


def read(*groups: list[str], exclude: tuple[str, ...] = ()) -> Phrases:
    phrases = Phrases(exclude=exclude)
    for group, texts in enumerate(groups):
        for text in texts:
            phrases.read(text, group)
    return phrases


def test_a_heading_is_the_form_people_write_and_no_stem():
    named = name_groups(read(WAITING, CASH), [0, 1])
    assert named[0].label == "Waiting time"
    assert named[1].label == "ATM"


def test_no_heading_comes_twice():
    named = name_groups(read(WAITING, WAITING, WAITING), [0, 1, 2])
    assert len({naming.label for naming in named.values()}) == 3


def test_headings_and_keywords_leave_out_excluded_words():
    named = name_groups(read(["Acme cables break", "Acme cables rust"], exclude=("Acme",)), [0])
    assert named[0].label == "Cables"
    assert not any("acme" in keyword.lower() for keyword in named[0].keywords)


def test_a_particle_stays_with_its_verb():
    named = name_groups(read(["my top up failed", "the top up is gone", "a top up of ten"]), [0])
    assert named[0].label == "Top up"


def test_a_word_after_is_or_to_is_less_of_a_noun():
    phrases = read(["it is rude", "he was rude", "to order", "the order", "my order", "an order"])
    assert phrases.nounness("rude") == 0.25
    assert phrases.nounness("order") == pytest.approx(4 / 6)
    assert phrases.nounness("unseen") == 0.5


def test_phrases_do_not_cross_a_clause_or_start_with_a_stop_word():
    phrases = read(["Late again, the driver of the van. Rude"])
    surfaces = {phrases.surface(phrase) for phrase in phrases.found[0]}
    assert surfaces == {"late", "driver", "van", "rude"}


def test_a_negation_may_open_a_phrase():
    assert ("no", "complaint") in read(["no complaints"]).found[0]


def test_redaction_marks_are_no_words():
    phrases = read(["[name] lost [number] parcels"])
    assert {phrases.surface(phrase) for phrase in phrases.found[0]} == {"lost", "parcels"}


def test_a_group_without_words_is_numbered():
    naming = name_groups(read([]), [0])[0]
    assert (naming.label, naming.keywords) == ("Theme 1", [])


def test_quotes_are_near_distinct_and_of_readable_length():
    texts = [
        "late",
        "the delivery was late once more",
        "the delivery was late once more!",
        "nobody told us about the delay",
        "word " * 41,
        "the driver went to the wrong gate",
    ]
    quotes = typical_quotes(texts, [0.99, 0.9, 0.8, 0.7, 0.95, 0.6])
    assert quotes == [texts[1], texts[3], texts[5]]


def test_short_comments_are_quoted_where_there_are_no_longer_ones():
    assert typical_quotes(["late", "slow"], [0.5, 0.9]) == ["slow", "late"]
    assert typical_quotes([" ".join(["word"] * 50)], [0.9]) == [" ".join(["word"] * 40) + " …"]
