"""Triggers and events in the admin."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from surveys.admin.triggers import systems
from surveys.loop import answer, happen
from surveys.loop.suppress import suppress
from surveys.models import AuditEntry, Event, Survey, Trigger

TRIGGERS = reverse("admin:surveys_trigger_changelist")
EVENTS = reverse("admin:surveys_event_changelist")
DAY = timedelta(days=1)


@pytest.fixture
def trigger(nps):
    return Trigger.objects.create(survey=nps, source="zendesk", happening="ticket.solved")


@pytest.fixture
def told(customer, now):
    def tell(number=1, at=now, **more):
        given = {"happening": "ticket.solved", "product": "", **more}
        return happen.happen(
            "zendesk", f"T-{number}", customer=customer, happened_at=at, now=at, **given
        )[0]

    return tell


def shown(client, **query) -> str:
    return client.get(EVENTS, query).content.decode()


def form(survey, **more) -> dict:
    return {
        "survey": survey.pk,
        "source": "Zendesk ",
        "happening": "Ticket.Solved",
        "product": "App",
        "delay_hours": "24",
        "is_active": "on",
        **more,
    }


def test_a_program_manager_makes_a_trigger(signed_in, nps, manager):
    client = signed_in(manager)
    made = client.post(reverse("admin:surveys_trigger_add"), form(nps))
    assert made.status_code == 302, made.context["errors"]
    trigger = Trigger.objects.get()
    assert (trigger.source, trigger.happening) == ("zendesk", "ticket.solved")
    assert (trigger.product, trigger.delay_hours) == ("App", 24)
    assert AuditEntry.objects.get(noun="trigger").actor == manager


def test_the_same_trigger_twice_is_refused(signed_in, nps, manager):
    client = signed_in(manager)
    client.post(reverse("admin:surveys_trigger_add"), form(nps))
    again = client.post(reverse("admin:surveys_trigger_add"), form(nps, source="zendesk"))
    assert again.status_code == 200
    assert "already exists" in again.content.decode()
    assert Trigger.objects.count() == 1


def test_a_trigger_is_deleted_and_its_events_stay(signed_in, trigger, told, manager):
    event = told()
    address = reverse("admin:surveys_trigger_delete", args=[trigger.pk])
    assert signed_in(manager).post(address, {"post": "yes"}).status_code == 302
    event.refresh_from_db()
    assert event.trigger is None


@pytest.mark.parametrize(("who", "status"), [("alice", 403), ("auditor", 403), ("product", 403)])
def test_who_may_not_make_one(signed_in, request, nps, who, status):
    client = signed_in(request.getfixturevalue(who))
    assert client.post(reverse("admin:surveys_trigger_add"), form(nps)).status_code == status
    assert not Trigger.objects.exists()


def test_the_list_says_what_each_did_and_where_systems_tell(
    signed_in, trigger, told, manager, now, settings
):
    settings.HOOK_SECRETS = {"zendesk": "made up", "intercom": ""}
    told(1, now - 2 * DAY)
    told(2)
    happen.ask_after_events(now)
    said = signed_in(manager).get(TRIGGERS).content.decode()
    for words in ("ticket.solved", "Relationship", "24 h", "1 of 2 events", "Any"):
        assert words in said
    assert f"{settings.SITE_URL}/hooks/zendesk/" in said
    assert "HOOK_SECRET_INTERCOM is not set" in said
    assert "HOOK_SECRET_ZENDESK is not set" not in said
    assert "&quot;ticket&quot;: &quot;{{ticket.id}}&quot;" in said  # how to set up Zendesk
    assert [one["name"] for one in systems() if one["is_ready"]] == ["zendesk"]
    assert "made up" not in said


class TestEvents:
    def test_each_says_whether_it_was_asked_about(
        self, signed_in, trigger, told, manager, customer, now
    ):
        client = signed_in(manager)
        told()
        assert "Asked in 23 h" in shown(client) or "Asked in 1 d" in shown(client)
        Survey.objects.update(paused_reason="Too many bounces")
        assert "Waits: the survey is paused" in shown(client)
        Survey.objects.update(paused_reason="")
        happen.ask_after_events(now + DAY)
        event = Event.objects.get()
        assert ">Asked</span>" in shown(client)
        answer.give(event.invitation, 9, "", now + DAY)
        assert ">Answered</span>" in shown(client)

    def test_and_why_not(self, signed_in, trigger, told, manager, customer, now):
        told(1, happening="ticket.created")
        suppress(customer.email, "complained", now)
        told(2)
        happen.ask_after_events(now + DAY)
        said = shown(signed_in(manager))
        assert "Not asked: no active trigger fits" in said
        assert "Not asked: unsubscribed, bounced or complained" in said

    def test_the_list_is_filtered_and_searched(self, signed_in, trigger, told, manager):
        told(1, product="App", subject="ticket:1")
        told(2, product="Hotline", subject="ticket:2")
        client = signed_in(manager)

        def found(**query):
            page = client.get(EVENTS, query)
            return sorted(event.external_id for event in page.context["cl"].result_list)

        assert found() == ["T-1", "T-2"]
        assert found(product="App") == ["T-1"]
        assert found(q="ticket:2") == ["T-2"]
        assert found(q="lakeside") == ["T-1", "T-2"]
        assert found(outcome="decided") == []

    def test_one_is_read_whole_and_never_changed(self, signed_in, trigger, told, administrator):
        event = told(product="<b>App</b>", subject="ticket:4711")
        client = signed_in(administrator)
        address = reverse("admin:surveys_event_change", args=[event.pk])
        said = client.get(address).content.decode()
        for words in ("T-1", "ticket:4711", "&lt;b&gt;App&lt;/b&gt;", "Ines Okafor"):
            assert words in said
        assert client.post(address, {"product": "x"}).status_code == 403
        assert client.get(reverse("admin:surveys_event_add")).status_code == 403

    def test_an_account_manager_reads_none(self, signed_in, trigger, told, alice):
        told()
        assert signed_in(alice).get(EVENTS).status_code == 403


@pytest.mark.parametrize("address", [TRIGGERS, EVENTS])
def test_three_rows_cost_as_many_queries_as_one(
    signed_in, trigger, told, manager, nps, address, now
):
    client, costs = signed_in(manager), []
    for number in (1, 2, 3):
        told(number, now - DAY)
        happen.ask_after_events(now)
        if number > 1:
            Trigger.objects.create(survey=nps, source="other", happening=f"thing.{number}")
        with CaptureQueriesContext(connection) as queries:
            page = client.get(address)
        costs.append((page.context["cl"].result_count, len(queries)))
    assert [count for count, _ in costs] == [1, 2, 3]
    assert len({cost for _, cost in costs}) == 1


def test_empty_lists_say_what_to_do_next(signed_in, manager, db):
    client = signed_in(manager)
    assert "Add one to ask a day after a ticket is solved." in (
        client.get(TRIGGERS).content.decode()
    )
    assert "Nothing has been told yet" in shown(client)
    assert "No event matches" in shown(client, q="nothing")
