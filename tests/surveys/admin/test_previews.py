"""Looking at the mails of a survey, and being sent a test."""

import pytest
from django.urls import reverse

from surveys.models import (
    AuditEntry,
    Brand,
    Logo,
    Message,
    Reminder,
    ReminderText,
    Survey,
    Wording,
)
from tests.surveys.models.pictures import png


@pytest.fixture
def german(nps):
    return Wording.objects.create(
        survey=nps, language="de", subject="Kurze Frage", question="Wie war es?",
        low_label="schlecht", high_label="gut", comment_label="Warum?", thanks="Danke.",
    )  # fmt: skip


@pytest.fixture
def reminder(nps):
    reminder = Reminder.objects.create(survey=nps, number=1)
    ReminderText.objects.create(reminder=reminder, subject="Still curious, {name}", intro="Again.")
    return reminder


def page(name, survey, *args):
    return reverse(f"admin:surveys_survey_{name}", args=[survey.pk, *args])


def test_the_mails_of_a_survey_are_shown_as_they_would_arrive(signed_in, manager, nps):
    said = signed_in(manager).get(page("mails", nps))
    text = said.content.decode()
    assert said.context["shown"].subject == "How are we doing, Ada Example?"
    assert "@media not all {" in said.context["html"]
    assert '<iframe class="voc-mail voc-mail-600" sandbox=""' in text
    assert "http://testserver/a/" not in said.context["shown"].html


@pytest.mark.parametrize(
    ("query", "subject"),
    [
        ({"language": "de"}, "Kurze Frage"),
        ({"mail": "reminder-1"}, "Still curious, Ada Example"),
        ({"mail": "reminder-1", "language": "de"}, "Kurze Frage"),
        ({"mail": "heads-up"}, "A short survey from Northwind Parcels is on its way"),
        ({"mail": "x", "language": "'><script>", "width": "9", "colours": "no"},
         "How are we doing, Ada Example?"),
    ],
)  # fmt: skip
def test_each_mail_in_each_language(signed_in, manager, nps, german, reminder, query, subject):
    said = signed_in(manager).get(page("mails", nps), query)
    assert said.context["shown"].subject == subject
    assert "<script>'" not in said.content.decode()


def test_a_mail_shows_the_logo_of_its_brand(signed_in, manager, nps):
    logo = Logo.of(png())
    logo.save()
    nps.brand = Brand.objects.create(name="Ours", logo=logo)
    nps.save()
    for mail in ("invitation", "heads-up"):
        said = signed_in(manager).get(page("mails", nps), {"mail": mail})
        assert f'src="{logo.url}"' in said.context["html"]


def test_width_and_darkness_are_chosen_by_links(signed_in, manager, nps):
    said = signed_in(manager).get(page("mails", nps), {"width": "320", "colours": "dark"})
    assert "voc-mail voc-mail-320" in said.content.decode()
    assert "@media all {" in said.context["html"]
    widths = said.context["choices"]["width"]
    assert [(choice.label, choice.is_chosen) for choice in widths] == [
        ("Phone", True), ("Tablet", False), ("Desktop", False),
    ]  # fmt: skip
    assert widths[1].query == "language=en&mail=invitation&width=600&colours=dark"


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        ("answer", "How likely are you to recommend Northwind Parcels?"),
        ("more-promoter", "What do you like?"),
        ("more-passive", "What is the main reason?"),
        ("more-detractor", '<input type="checkbox" name="reasons" value="speed"> Speed'),
        ("thanks-promoter", "Thank you. We read every answer."),
        ("thanks-detractor", "We are sorry, Ada Example."),
    ],
)
def test_each_page_can_be_looked_at(signed_in, manager, nps, shown, said):
    nps.wordings.update(promoter_question="What do you like?", reasons="speed: Speed",
                        detractor_thanks="We are sorry, {name}.")  # fmt: skip
    page_of = signed_in(manager).get(page("mails", nps), {"mail": shown, "colours": "dark"})
    html = page_of.context["html"]
    assert said in html
    assert "@media all {" in html
    assert '<link rel="stylesheet"' not in html
    assert 'name="nonce" value=""' in html or shown.startswith("thanks")
    assert not page_of.context["testable"]
    assert "Send me a test" not in page_of.text


def test_a_survey_without_words_leads_back_to_where_they_are_written(signed_in, manager, nps):
    nps.wordings.all().delete()
    said = signed_in(manager).get(page("mails", nps), follow=True)
    assert said.redirect_chain[0][0] == page("change", nps)
    assert "has no wording yet" in said.content.decode()


def test_a_test_is_sent_to_whoever_asks_for_it(signed_in, manager, nps, german, reminder):
    client = signed_in(manager)
    query = "?mail=reminder-1&language=de"
    said = client.post(page("test", nps) + query, follow=True)
    assert said.redirect_chain == [(page("mails", nps) + query, 302)]
    assert "A test is on its way to manager@northwind.example." in said.content.decode()
    message = Message.objects.get()
    assert (message.user, message.language, message.reminder) == (manager, "de", reminder)
    again = client.post(page("test", nps), follow=True)
    assert "less than a minute ago" in again.content.decode()
    assert Message.objects.count() == 1


def test_only_a_post_sends_a_test(signed_in, manager, nps):
    assert signed_in(manager).get(page("test", nps)).status_code == 302
    assert not Message.objects.exists()


@pytest.mark.parametrize(("who", "looks", "sends"), [("alice", 200, 403), ("product", 403, 403)])
def test_a_test_takes_somebody_who_may_change_the_survey(
    signed_in, request, nps, who, looks, sends
):
    client = signed_in(request.getfixturevalue(who))
    assert client.get(page("mails", nps)).status_code == looks
    assert client.post(page("test", nps)).status_code == sends
    assert not Message.objects.exists()


def test_the_links_of_a_test_lead_to_a_page_whose_button_does_nothing(
    signed_in, manager, nps, german
):
    said = signed_in(manager).get(page("preview", nps, "de"), {"score": "9"})
    text = said.content.decode()
    assert 'value="9" required checked' in text
    assert '<button type="submit" disabled>Antwort senden</button>' in text
    assert "Preview: nothing can be sent from here." in text
    assert signed_in(manager).get(page("preview", nps, "xx")).status_code == 404


def test_missing_languages_are_added_at_a_press(signed_in, manager, nps, german):
    client = signed_in(manager)
    assert (
        "Add standard words for 8 more languages"
        in client.get(page("change", nps)).content.decode()
    )
    client.post(page("add_languages", nps))
    assert nps.wordings.count() == 10
    assert nps.wordings.get(language="de").subject == "Kurze Frage"
    entry = AuditEntry.objects.get(noun="survey", noun_id=nps.pk)
    assert entry.after == {"added wording": "fr, es, pt, it, nl, pl, ja, ar"}
    assert "Add standard words" not in client.get(page("change", nps)).content.decode()


def test_a_paused_survey_says_why_and_is_resumed(signed_in, manager, alice, nps):
    Survey.objects.filter(pk=nps.pk).update(paused_reason="31 of the last 500 mails bounced.")
    client = signed_in(manager)
    assert "31 of the last 500 mails bounced." in client.get(page("change", nps)).content.decode()
    assert signed_in(alice).post(page("resume", nps)).status_code == 403
    client.post(page("resume", nps))
    nps.refresh_from_db()
    assert nps.paused_reason == ""
    again = client.post(page("resume", nps), follow=True)
    assert "is not paused" in again.content.decode()


def test_reminders_are_written_beside_the_words(signed_in, manager, nps):
    client = signed_in(manager)
    wording = nps.wordings.get()
    words = {name: getattr(wording, name) for name in (
        "language", "subject", "greeting", "intro", "question", "low_label", "high_label",
        "comment_label", "thanks")}  # fmt: skip
    form = {
        "name": nps.name, "kind": nps.kind, "product": nps.product, "language": "en",
        "valid_days": 30, "is_open": "on", "family": nps.family_id, "send_from": 9,
        "send_until": 17, "silence_alert_days": 14,
        "wordings-TOTAL_FORMS": 1, "wordings-INITIAL_FORMS": 1, "wordings-0-id": wording.pk,
        "wordings-0-survey": nps.pk, **{f"wordings-0-{name}": text for name, text in words.items()},
        "triggers-TOTAL_FORMS": 0, "triggers-INITIAL_FORMS": 0,
        "reminders-TOTAL_FORMS": 1, "reminders-INITIAL_FORMS": 0,
        "reminders-0-number": 1, "reminders-0-after_days": 6, "reminders-0-survey": nps.pk,
        "reminders-0-texts-TOTAL_FORMS": 1, "reminders-0-texts-INITIAL_FORMS": 0,
        "reminders-0-texts-0-language": "en", "reminders-0-texts-0-subject": "Still curious",
        "reminders-0-texts-0-intro": "Once more.",
    }  # fmt: skip
    assert client.post(page("change", nps), form).status_code == 302
    [text] = ReminderText.objects.select_related("reminder__survey")
    assert (text.reminder.survey, text.reminder.after_days, text.subject) == (
        nps, 6, "Still curious",
    )  # fmt: skip
    nps.refresh_from_db()
    assert (nps.send_from, nps.send_until) == (9, 17)
    entry = AuditEntry.objects.get(noun="survey", noun_id=nps.pk)
    assert entry.after["added reminder"] == "Relationship, reminder 1"
    assert entry.after["added reminder text"] == "Relationship, reminder 1, English"


@pytest.mark.parametrize("rows", [1, 3])
def test_many_reminders_take_as_many_queries_as_one(
    signed_in, manager, nps, rows, django_assert_num_queries
):
    for number in range(1, rows + 1):
        reminder = Reminder.objects.create(survey=nps, number=number)
        ReminderText.objects.create(reminder=reminder, subject="Again")
    client = signed_in(manager)
    client.get(page("mails", nps))
    with django_assert_num_queries(7):
        client.get(page("mails", nps))
