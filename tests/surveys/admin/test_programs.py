"""Surveys and waves, from a name to mails on their way."""

import pytest
from django.urls import reverse

from surveys.admin.waves import audience, progress
from surveys.loop import answer, ask, suppress
from surveys.models import Customer, Kind, Message, Survey, Wave


@pytest.fixture
def wave(nps, customer, account):
    Customer.objects.create(account=account, name="No Mail")
    Customer.objects.create(account=account, name="Left Us", email="left@lakeside.example")
    return Wave.objects.create(survey=nps, name="Spring")


def post(client, name, /, *args, **data):
    return client.post(reverse(f"admin:surveys_{name}", args=args), data)


@pytest.mark.parametrize("kind", Kind.values)
def test_a_new_survey_can_be_launched_in_a_minute(signed_in, manager, customer, kind, now):
    client = signed_in(manager)
    said = post(client, "survey_add", name="New", kind=kind, language="en", valid_days=30,
                is_open="on")  # fmt: skip
    survey = Survey.objects.get()
    assert said.url == reverse("admin:surveys_survey_change", args=[survey.pk])
    post(client, "wave_add", survey=survey.pk, name="First")
    post(client, "wave_launch", survey.waves.get().pk)
    ask.plan(now)
    assert Message.objects.get(kind="invitation").invitation.customer == customer


def test_the_kind_stays_once_somebody_has_answered(signed_in, manager, nps, task):
    page = signed_in(manager).get(reverse("admin:surveys_survey_change", args=[nps.pk]))
    assert "kind" not in page.context["adminform"].form.fields


def test_the_audience_is_counted_before_anybody_is_asked(wave, now):
    suppress.suppress("left@lakeside.example", "unsubscribed", now)
    told = audience(wave)
    sample = sorted(customer.name for customer in told.pop("sample"))
    assert told == {"total": 3, "asked": 1, "no_address": 1, "suppressed": 1}
    assert sample == ["Ines Okafor", "Left Us", "No Mail"]


def test_a_draft_shows_audience_mail_and_button(signed_in, manager, wave):
    said = signed_in(manager).get(reverse("admin:surveys_wave_change", args=[wave.pk]))
    text = said.content.decode()
    assert "2 of 3 customers" in text
    assert "Launch: ask 2 customers" in text
    assert '<iframe class="voc-mail" sandbox=""' in text
    assert "How likely are you to recommend Northwind Parcels?" in said.context["preview"]


def test_a_launched_wave_shows_its_progress_and_cannot_be_changed(signed_in, manager, wave, now):
    client = signed_in(manager)
    post(client, "wave_launch", wave.pk)
    ask.plan(now)
    invitation = wave.invitations.get(customer__name="Ines Okafor")
    answer.give(invitation, 9, "", now)
    invitation.messages.update(state="sent", sent_at=now)
    assert progress(wave) == [
        ("Asked", 2), ("Not asked", 1), ("Waiting to be sent", 1), ("Sent", 1), ("Failed", 0),
        ("In doubt", 0), ("Answered", 1),
    ]  # fmt: skip
    address = reverse("admin:surveys_wave_change", args=[wave.pk])
    assert "How it is going" in client.get(address).content.decode()
    assert client.post(address, {"survey": wave.survey_id, "name": "Else"}).status_code == 403
    assert post(client, "wave_delete", wave.pk, post="yes").status_code == 403


def test_launching_twice_asks_once_and_says_so(signed_in, manager, wave):
    client = signed_in(manager)
    post(client, "wave_launch", wave.pk)
    said = client.post(reverse("admin:surveys_wave_launch", args=[wave.pk]), follow=True)
    assert "has been launched already" in said.content.decode()


def test_a_survey_without_words_cannot_be_launched(signed_in, manager, wave):
    wave.survey.wordings.all().delete()
    client = signed_in(manager)
    said = client.post(reverse("admin:surveys_wave_launch", args=[wave.pk]), follow=True)
    text = said.content.decode()
    assert "has no wording yet" in text
    assert "The survey has no words yet." in text
    wave.refresh_from_db()
    assert wave.state == "draft"


@pytest.mark.parametrize(("who", "status"), [("auditor", 403), ("alice", 403), ("manager", 302)])
def test_launching_takes_a_program_manager(signed_in, request, wave, who, status):
    said = post(signed_in(request.getfixturevalue(who)), "wave_launch", wave.pk)
    assert said.status_code == status
    wave.refresh_from_db()
    assert wave.state == ("planning" if status == 302 else "draft")


def test_a_segment_is_chosen_from_those_there_are(signed_in, manager, wave):
    Customer.objects.filter(name="No Mail").update(segment="Boutique")
    page = signed_in(manager).get(reverse("admin:surveys_wave_change", args=[wave.pk]))
    choices = page.context["adminform"].form.fields["segment"].widget.choices
    assert [value for value, _ in choices] == ["", "Boutique", "Enterprise"]
