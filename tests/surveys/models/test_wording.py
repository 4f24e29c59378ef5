import pytest
from django.core.exceptions import ValidationError

from surveys.models import Band, NoWording, Survey, Wording
from surveys.models.wording import choices_of

BY_BAND = {
    "promoter_question": "What do you like most, {name}?",
    "detractor_question": "What went wrong with {product}?",
    "detractor_thanks": "We are sorry, {name}.",
}


def words(**fields):
    wording = Wording(comment_label="Why?", thanks="Thank you.", **fields)
    return wording.filled(name="Ada", company="Northwind", product="Delivery")


def test_the_open_question_fits_the_score():
    said = words(**BY_BAND)
    assert said.open_question(Band.PROMOTER) == "What do you like most, Ada?"
    assert said.open_question(Band.PASSIVE) == "Why?"
    assert said.open_question(Band.DETRACTOR) == "What went wrong with Delivery?"
    assert said.open_question("") == "Why?"


def test_so_do_the_thanks():
    said = words(**BY_BAND)
    assert said.thanks_for(Band.DETRACTOR) == "We are sorry, Ada."
    assert [said.thanks_for(band) for band in (Band.PROMOTER, Band.PASSIVE, "")] == [
        "Thank you.",
        "Thank you.",
        "Thank you.",
    ]


def test_reasons_are_read_line_by_line():
    text = "price: The price\r\n\n  late-delivery :Came late: by days  \nEase of use"
    assert choices_of(text) == [
        ("price", "The price"),
        ("late-delivery", "Came late: by days"),
        ("ease-of-use", "Ease of use"),
    ]
    assert choices_of("") == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("price: A\nprice: B", "“price” is there twice."),
        ("القيمة", "write a key of small letters, digits and hyphens, a colon"),
        ("price:", "“price:”: write a key"),
        ("the price: The price", "“the price: The price”: write a key"),
        ("price: " + "x" * 61, "is longer than 60 letters."),
        ("\n".join(f"reason {n}" for n in range(11)), "There are 11 reasons; up to 10"),
    ],
)
def test_reasons_that_cannot_be_offered_are_refused_and_told_why(text, said):
    with pytest.raises(ValidationError) as refused:
        Wording(reasons=text).clean()
    assert said in refused.value.message_dict["reasons"][0]


def test_saved_reasons_show_the_keys_they_were_given():
    wording = Wording(reasons="The price\n\nspeed:Speed")
    wording.clean()
    assert wording.reasons == "the-price: The price\nspeed: Speed"
    assert wording.choices == [("the-price", "The price"), ("speed", "Speed")]


def test_the_reasons_of_a_survey_come_in_the_customers_language(nps):
    nps.wordings.update(reasons="price: The price\nspeed: Speed")
    Wording.objects.create(survey=nps, language="de", reasons="price: Der Preis\nspeed: Tempo")
    assert nps.reasons_for("de-AT") == [("price", "Der Preis"), ("speed", "Tempo")]
    assert nps.reasons_for("fr") == [("price", "The price"), ("speed", "Speed")]


@pytest.mark.django_db
def test_a_survey_without_words_has_no_reasons_to_offer():
    with pytest.raises(NoWording):
        Survey.objects.create(name="New").reasons_for("en")
