"""A wave's page: who would be asked, what follows, and how it goes."""

from datetime import timedelta

import pytest
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from surveys.admin import wave_page
from surveys.admin.waves import VERBS
from surveys.loop import answer, ask, suppress
from surveys.models import (
    Absence,
    AuditEntry,
    Customer,
    CustomerProperty,
    Invitation,
    Message,
    Survey,
    Wave,
)


@pytest.fixture
def wave(nps, customer, account):
    Customer.objects.create(account=account, name="No Mail")
    Customer.objects.create(account=account, name="Left Us", email="left@lakeside.example")
    return Wave.objects.create(survey=nps, name="Spring")


@pytest.fixture
def launched(wave, manager, now):
    ask.launch(wave, manager, now)
    ask.plan(now)
    wave.refresh_from_db()
    return wave


def post(client, wave, verb, /, **data):
    return client.post(address(wave, verb), data, follow=True)


def address(wave, page: str = "change") -> str:
    return reverse(f"admin:surveys_wave_{page}", args=[wave.pk])


def text_of(client, wave, **query) -> str:
    return " ".join(client.get(address(wave), query).content.decode().split())


def answered(nps, account, now, unhappy: int, happy: int) -> None:
    """So many customers who answered two months ago."""
    then = now - timedelta(days=60)
    people = [
        Customer.objects.create(account=account, name=f"Old {n}", email=f"old{n}@lakeside.example")
        for n in range(unhappy + happy)
    ]
    for n, invitation in enumerate(ask.invite(nps, people, "event:old", then)):
        answer.give(invitation, 2 if n < unhappy else 9, "", then)


def test_a_draft_says_who_is_asked_and_why_others_are_not(signed_in, manager, wave, nps, now):
    suppress.suppress("left@lakeside.example", "unsubscribed", now)
    text = text_of(signed_in(manager), wave)
    assert "1 of 3 customers" in text
    assert "2 not asked: suppressed 1, no address 1" in text
    assert "Launch: ask 1 customer<" in text
    reason = "Not asked: unsubscribed, bounced or complained"
    sample = [(str(one), decision) for one, decision in wave_page.sample(wave, now)]
    assert sample == [
        ("Ines Okafor", "Asked"), ("Left Us", reason), ("No Mail", "Not asked: no e-mail address"),
    ]  # fmt: skip
    assert f"<td>{reason}</td>" in text


def test_a_draft_says_which_throttle_spares_somebody(signed_in, manager, wave, nps, customer, now):
    ask.invite(nps, [customer], "event:1", now - timedelta(days=3))
    said = "2 not asked: throttled 1, no address 1 (1 too soon after one of the same family)"
    assert said in text_of(signed_in(manager), wave)


def test_a_draft_shows_the_mail_as_it_will_look(signed_in, manager, wave):
    said = signed_in(manager).get(address(wave))
    assert '<iframe class="voc-mail" sandbox=""' in said.content.decode()
    assert "How likely are you to recommend Northwind Parcels?" in said.context["preview"]


def test_without_history_nobody_pretends_to_know_how_many_tasks_follow(signed_in, manager, wave):
    assert "There are no answers to this kind of survey yet" in text_of(signed_in(manager), wave)


def test_the_page_weighs_the_wave_against_who_calls_back(
    signed_in, manager, nps, account, wave, alice, bob, now
):
    answered(nps, account, now, unhappy=8, happy=24)
    Absence.objects.create(user=alice, cover=bob, first_day=now.date(), last_day=now.date())
    client = signed_in(manager)
    text = text_of(client, wave, tasks=5)
    assert "Not in 1 day: about 9 outreach tasks are more than 5 a day for somebody" in text
    assert "8 of 32 answers unhappy, from 32 asked (their own accounts)" in text
    assert f"covered by {bob}" in text
    assert "Spread it over 2 days" in text
    said = post(client, wave, "spread", days=2)
    assert "“Spring” is spread over 2 days." in said.content.decode()
    assert "nobody gets more than 5 a day" in text_of(client, wave, tasks=5)
    entry = AuditEntry.objects.get(verb="change", noun="wave")
    assert (entry.before, entry.after) == ({"spread_days": 1}, {"spread_days": 2})


@pytest.mark.parametrize("days", ["0", "367", "-1", "many", ""])
def test_an_impossible_spread_is_refused(signed_in, manager, wave, days):
    said = post(signed_in(manager), wave, "spread", days=days)
    assert "over 1 to 366 days" in said.content.decode()
    wave.refresh_from_db()
    assert wave.spread_days == 1


@pytest.mark.parametrize("tasks", ["0", "none", "1e9"])
def test_an_impossible_limit_is_named_and_the_page_still_stands(
    signed_in, manager, nps, account, wave, now, tasks
):
    answered(nps, account, now, unhappy=2, happy=2)
    page = signed_in(manager).get(address(wave), {"tasks": tasks})
    assert page.context["limit_form"].errors["tasks"]
    assert page.context["forecast"].limit == 5


def test_a_launched_wave_shows_its_progress_and_cannot_be_changed(
    signed_in, manager, launched, now
):
    client = signed_in(manager)
    invitation = launched.invitations.get(customer__name="Ines Okafor")
    answer.give(invitation, 9, "", now)
    invitation.messages.update(state="sent", sent_at=now)
    page = client.get(address(launched))
    assert page.context["figures"] == [
        ("Asked", 2, ""), ("Waiting to be sent", 1, ""), ("Sent", 1, ""), ("Answered", 1, "green"),
    ]  # fmt: skip
    text = page.content.decode()
    assert "How it is going" in text
    assert "1 not asked: no address 1" in text
    change = {"survey": launched.survey_id, "name": "Else"}
    assert client.post(address(launched), change).status_code == 403
    assert client.post(address(launched, "delete"), {"post": "yes"}).status_code == 403


def test_troubles_are_shown_where_there_are_any(launched, now):
    mails = Message.objects.filter(kind="invitation").order_by("pk")
    Message.objects.filter(pk=mails[0].pk).update(state="in_doubt")
    Message.objects.filter(pk=mails[1].pk).update(state="failed")
    told = wave_page.under_way(launched)["figures"]
    assert told[4:] == [("In doubt", 1, "amber"), ("Failed", 1, "red")]


def test_the_page_keeps_itself_fresh_while_something_happens(signed_in, manager, launched, now):
    client = signed_in(manager)
    part = f'data-live="{address(launched, "progress")}" data-seconds="3"'
    page = client.get(address(launched)).content.decode()
    assert part in page
    assert "surveys/live.js" in page
    assert part in client.get(address(launched, "progress")).content.decode()
    Message.objects.update(state="sent", sent_at=now)
    assert 'data-seconds="60"' in client.get(address(launched, "progress")).content.decode()
    Wave.objects.update(state="stopped")
    assert 'data-seconds="0"' in client.get(address(launched, "progress")).content.decode()


def test_a_planned_share_is_shown_while_it_is_planned(signed_in, manager, wave, now):
    ask.launch(wave, manager, now)
    ask._plan_batch(now, 2)
    text = text_of(signed_in(manager), wave)
    assert "2 of 3 customers decided on." in text
    assert '<progress class="voc-bar" max="3" value="2"' in text


def test_a_draft_has_no_progress(signed_in, manager, wave):
    assert signed_in(manager).get(address(wave, "progress")).status_code == 404


def test_pause_resume_remind_and_stop_have_their_buttons(signed_in, manager, launched, now):
    client = signed_in(manager)
    assert "2 mails are held back" in post(client, launched, "pause").content.decode()
    assert "2 mails are queued again" in post(client, launched, "resume").content.decode()
    ask.plan(now)
    Message.objects.update(state="sent", sent_at=now - timedelta(days=3))
    assert "2 reminders go out" in post(client, launched, "remind").content.decode()
    assert "Nobody is left to remind" in post(client, launched, "remind").content.decode()
    assert "2 mails are cancelled" in post(client, launched, "stop").content.decode()
    assert "Stop it for good" not in text_of(client, launched)
    told = AuditEntry.objects.filter(noun="wave").order_by("pk").values_list("verb", flat=True)
    assert list(told) == ["launch", "pause", "resume", "remind", "remind", "stop"]


@pytest.mark.parametrize(
    ("verb", "said"),
    [
        ("launch", "has been launched already"),
        ("resume", "Only a paused wave"),
        ("spread", "Only a draft"),
    ],
)
def test_a_refusal_is_shown(signed_in, manager, launched, verb, said):
    assert said in post(signed_in(manager), launched, verb, days=2).content.decode()


def test_a_get_does_nothing(signed_in, manager, launched):
    for verb in VERBS:
        signed_in(manager).get(address(launched, verb))
    launched.refresh_from_db()
    assert launched.state == "launched"
    assert set(Message.objects.values_list("state", flat=True)) == {"queued"}


def test_a_survey_without_words_cannot_be_launched(signed_in, manager, wave):
    wave.survey.wordings.all().delete()
    text = post(signed_in(manager), wave, "launch").content.decode()
    assert "has no wording yet" in text
    assert "The survey has no words yet." in text
    wave.refresh_from_db()
    assert wave.state == "draft"


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(("who", "status"), [("auditor", 403), ("alice", 403), ("manager", 302)])
def test_every_button_takes_a_program_manager(signed_in, request, wave, who, status, verb):
    client = signed_in(request.getfixturevalue(who))
    assert client.post(address(wave, verb), {"days": 3}).status_code == status


def test_an_auditor_reads_and_is_offered_no_button(signed_in, auditor, wave, launched):
    text = text_of(signed_in(auditor), launched)
    assert "How it is going" in text
    assert not [verb for verb in VERBS if f"/{verb}/" in text]


def test_segments_languages_and_properties_are_chosen_from_those_there_are(
    signed_in, manager, wave, customer
):
    Customer.objects.filter(name="No Mail").update(segment="Boutique")
    CustomerProperty.objects.create(customer=customer, name="plan", value="Gold")
    page = signed_in(manager).get(address(wave))
    fields = page.context["adminform"].form.fields
    offered = {
        name: [value for value, _ in fields[name].widget.choices]
        for name in ("segment", "property_name")
    }
    assert offered == {"segment": ["", "Boutique", "Enterprise"], "property_name": ["", "plan"]}


def test_a_sample_of_nobody_is_refused(signed_in, manager, wave):
    form = {"survey": wave.survey_id, "name": "W", "spread_days": 1, "sample_size": 0}
    page = signed_in(manager).post(address(wave), form)
    assert page.context["adminform"].form.errors["sample_size"]


def test_a_launched_wave_shows_only_what_was_chosen(signed_in, manager, launched):
    page = signed_in(manager).get(address(launched))
    shown = [name for _, options in page.context["adminform"].fieldsets
             for row in options["fields"] for name in row]  # fmt: skip
    assert shown == ["survey", "name", "channel", "key_contacts_only", "spread_days", "at_once"]


@pytest.mark.parametrize("state", ["draft", "launched"])
def test_the_page_takes_as_many_queries_for_many(
    signed_in, manager, wave, account, nps, now, state, connection_queries
):
    client = signed_in(manager)
    if state == "launched":
        ask.launch(wave, manager, now)
        ask.plan(now)
    few = connection_queries(lambda: client.get(address(wave)))
    for n in range(5):
        customer = Customer.objects.create(account=account, email=f"c{n}@lakeside.example")
        Invitation.objects.create(
            survey=nps, customer=customer, occasion="wave:x", language="en", wave=wave,
            created_at=now - timedelta(days=99), expires_at=now,
        )  # fmt: skip
    assert connection_queries(lambda: client.get(address(wave))) == few


@pytest.fixture
def connection_queries(db):
    from django.db import connection

    def count(call) -> int:
        with CaptureQueriesContext(connection) as queries:
            call()
        return len(queries)

    return count


def test_a_closed_survey_is_not_offered(signed_in, manager, wave):
    Survey.objects.create(name="Closed", is_open=False)
    page = signed_in(manager).get(address(wave))
    offered = page.context["adminform"].form.fields["survey"].queryset
    assert [survey.name for survey in offered] == ["Relationship"]
