"""Surveys, from a name to mails on their way."""

import pytest
from django.urls import reverse

from surveys.admin.default_words import default_wording
from surveys.loop import ask
from surveys.models import Kind, Message, Survey, Wording


def post(client, name, /, *args, **data):
    return client.post(reverse(f"admin:surveys_{name}", args=args), data)


@pytest.mark.parametrize("kind", Kind.values)
def test_a_new_survey_can_be_launched_in_a_minute(signed_in, manager, customer, kind, now):
    client = signed_in(manager)
    said = post(client, "survey_add", name="New", kind=kind, language="en", valid_days=30,
                is_open="on")  # fmt: skip
    survey = Survey.objects.get()
    assert said.url == reverse("admin:surveys_survey_change", args=[survey.pk])
    post(
        client,
        "wave_add",
        survey=survey.pk,
        name="First",
        spread_days=1,
        at_once="on",
        channel="mail",
    )
    post(client, "wave_launch", survey.waves.get().pk)
    ask.plan(now)
    assert Message.objects.get(kind="invitation").invitation.customer == customer


def test_the_kind_stays_once_somebody_has_answered(signed_in, manager, nps, task):
    page = signed_in(manager).get(reverse("admin:surveys_survey_change", args=[nps.pk]))
    assert "kind" not in page.context["adminform"].form.fields


def words(survey, *rows, **more):
    """The form of a survey with its words, each a dict; all of it, as a browser sends it."""
    sent = {"name": survey.name, "kind": survey.kind, "language": survey.language,
            "valid_days": 30, "is_open": "on", "send_from": 8, "send_until": 20,
            "silence_alert_days": 14, "family": survey.family_id}  # fmt: skip
    for prefix in ("reminders", "triggers"):
        sent |= {f"{prefix}-TOTAL_FORMS": 0, f"{prefix}-INITIAL_FORMS": 0}
    known = [row for row in rows if "id" in row]
    sent |= {"wordings-TOTAL_FORMS": len(rows), "wordings-INITIAL_FORMS": len(known)}
    for number, row in enumerate(rows):
        sent |= {f"wordings-{number}-{name}": value for name, value in row.items()}
    return sent | more


def row(wording, **changed):
    names = [field.name for field in Wording._meta.fields if field.name != "survey"]
    values = {name: getattr(wording, name) for name in names if getattr(wording, name) is not None}
    return values | {"survey": wording.survey_id} | changed


def save(client, survey, *rows):
    return client.post(reverse("admin:surveys_survey_change", args=[survey.pk]),
                       words(survey, *rows))  # fmt: skip


def test_words_by_band_and_reasons_are_kept(signed_in, manager, nps):
    english = nps.wordings.get()
    sent = row(english, detractor_question="What went wrong?", reasons="The price\nspeed: Speed")
    save(signed_in(manager), nps, sent)
    english.refresh_from_db()
    assert english.detractor_question == "What went wrong?"
    assert nps.reasons_for("en") == [("the-price", "The price"), ("speed", "Speed")]


def test_reasons_have_the_same_keys_in_every_language(signed_in, manager, nps):
    english = nps.wordings.get()
    german = default_wording(nps, "de")
    of_english = row(english, reasons="price: Price\nspeed: Speed")
    page = save(
        signed_in(manager), nps, of_english, row(german, reasons="preis: Preis\nspeed: Tempo")
    )
    [formset] = [each.formset for each in page.context["inline_admin_formsets"]
                 if each.formset.prefix == "wordings"]  # fmt: skip
    assert formset.forms[1].errors["reasons"] == [
        "The keys must be those of English. Keys to add: price. Keys to remove or rename: preis."
    ]
    save(signed_in(manager), nps, of_english, row(german, reasons="speed: Tempo\nprice: Preis"))
    assert nps.reasons_for("de") == [("speed", "Tempo"), ("price", "Preis")]


def test_a_language_may_offer_no_reasons_at_all(signed_in, manager, nps):
    english, german = nps.wordings.get(), default_wording(nps, "de")
    save(signed_in(manager), nps, row(english, reasons="price: Price"), row(german, reasons=""))
    assert nps.reasons_for("de") == []
