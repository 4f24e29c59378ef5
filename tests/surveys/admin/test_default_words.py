import pytest
from django.conf import settings
from django.urls import reverse

from surveys.admin.default_words import default_wording, languages_to_add, words_to_add
from surveys.models import Kind, Survey
from surveys.models.wording import PLACEHOLDERS

LANGUAGES = [language for language, _ in settings.LANGUAGES]


@pytest.mark.parametrize("kind", Kind.values)
@pytest.mark.parametrize("language", LANGUAGES)
def test_standard_words_fit_their_fields_and_speak_of_the_same(language, kind):
    survey = Survey(pk=1, kind=kind)
    wording = default_wording(survey, language)
    wording.full_clean(exclude=["survey"], validate_unique=False, validate_constraints=False)
    english = default_wording(survey, "en")
    spoken_of = set(PLACEHOLDERS.findall(english.question))
    assert set(PLACEHOLDERS.findall(wording.question)) == spoken_of
    assert [key for key, _ in wording.choices] == [key for key, _ in english.choices]
    for field in ("subject", "question", "low_label", "high_label", "comment_label", "thanks",
                  "promoter_question", "passive_question", "detractor_question", "reasons",
                  "promoter_thanks", "detractor_thanks"):  # fmt: skip
        there, here = getattr(english, field), getattr(wording, field)
        assert (there == here) == (language == "en"), field


def test_a_survey_is_offered_the_languages_it_lacks(nps):
    assert languages_to_add(nps) == [language for language in LANGUAGES if language != "en"]


def test_a_new_survey_speaks_its_own_language_at_once(signed_in, manager):
    form = {"name": "Neu", "kind": "csat", "language": "de", "valid_days": 30, "is_open": "on"}
    signed_in(manager).post(reverse("admin:surveys_survey_add"), form)
    [wording] = Survey.objects.get().wordings.all()
    assert (wording.language, wording.subject) == ("de", "Wie zufrieden sind Sie?")


def test_standard_reasons_come_only_where_they_are_the_surveys_own(nps):
    assert {wording.reasons for wording in words_to_add(nps)} == {""}
    nps.wordings.update(reasons="price: The price")
    assert {wording.reasons for wording in words_to_add(nps)} == {""}
    nps.wordings.update(reasons=default_wording(nps, "en").reasons)
    added = {wording.language: wording.choices for wording in words_to_add(nps)}
    assert added["de"][0] == ("quality", "Qualität")
    assert len(added) == len(LANGUAGES) - 1
