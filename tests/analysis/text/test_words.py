import pytest

from analysis.text import words


@pytest.mark.parametrize(
    ("sentence", "language"),
    [
        ("the parcel was late and we are not happy", "en"),
        ("die Lieferung war zu spät und wir sind nicht zufrieden", "de"),
        ("la livraison est arrivée trop tard et nous ne sommes pas contents", "fr"),
        ("el pedido llegó muy tarde y nadie nos ha llamado", "es"),
        ("a encomenda chegou com atraso e não fomos avisados", "pt"),
        ("la consegna è arrivata in ritardo e nessuno ci ha avvisato", "it"),
        ("de levering was te laat en wij hebben niets gehoord", "nl"),
    ],
)
def test_the_stop_words_show_the_language(sentence, language):
    assert words.guess_language(sentence.lower().split()) == language


def test_the_default_wins_where_no_language_shows():
    assert words.guess_language(["late", "parcel"], default="de") == "de"
    assert words.guess_language([]) == "en"


def test_the_main_language_is_that_of_most_documents():
    documents = [["die", "rechnung", "ist", "falsch"], ["der", "preis"], ["the", "price"]]
    assert words.main_language(documents) == "de"
    assert words.main_language([]) == "en"


def test_words_that_name_causes_are_no_stop_words():
    assert words.is_content("system")
    assert words.is_content("cuenta", "es")
    assert words.is_content("tempo", "pt")


def test_stop_words_letters_and_blanked_words_carry_nothing():
    assert not words.is_content("the")
    assert not words.is_content("a")
    assert not words.is_content("xxxx")


def test_stems_join_the_forms_of_a_word_in_its_language():
    assert words.stem("deliveries") == words.stem("delivery")
    assert words.stem("rechnungen", "de") == words.stem("rechnung", "de")
    assert words.stem("livraisons", "fr") == words.stem("livraison", "fr")
