import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from surveys.admin.task_story import next_step
from surveys.loop import close, reach_out
from surveys.models import AuditEntry, Message, OutreachTask
from tests.conftest import correct
from tests.surveys.admin.conftest import do, page_of


def text(response) -> str:
    return response.content.decode()


def test_the_page_tells_the_whole_story(signed_in, opened, alice, account):
    task = opened(10, comment="Broken again.\nThird time.")
    customer = task.customer
    customer.phone, customer.time_zone = "+49 30 1234", "Asia/Tokyo"
    customer.save()
    correct(task.response, 1, "Broken again.\nFourth time.", task.started_at)
    opened(5, "Other Odd")
    said = text(signed_in(alice).get(page_of(task)))
    for words in (
        "Ines Okafor",
        "Lakeside Mills",
        'href="mailto:ines@lakeside.example"',
        'href="tel:+49 30 1234"',
        "<b>1</b> of 10",
        "Broken again.<br>Fourth time.",
        "How it changed",
        "2 d 13 h left",
        "(Asia/Tokyo)",
        "Also open at Lakeside Mills",
        "Other Odd",
        "Reach the customer: call +49 30 1234",
        "Nobody has tried yet.",
    ):
        assert words in said


def test_the_deadline_stands_in_both_time_zones(signed_in, task, alice):
    alice.time_zone, task.customer.time_zone = "America/New_York", "Asia/Tokyo"
    alice.save()
    task.customer.save()
    OutreachTask.objects.filter(pk=task.pk).update(
        started_at="2026-03-10T09:00Z", due_at="2026-03-13T09:00Z"
    )
    said = text(signed_in(alice).get(page_of(task)))
    assert "March 13, 2026, 5 a.m." in said
    assert "March 13, 2026, 6 p.m." in said


def test_a_contact_is_logged_in_one_step(signed_in, task, alice):
    said = do(signed_in(alice), task, "contact", channel="phone", outcome="spoke", note="Angry.")
    assert (said.status_code, said.url) == (302, page_of(task))
    task.refresh_from_db()
    assert task.first_contact_at is not None
    contact = task.contacts.get()
    assert (contact.user, contact.channel, contact.outcome, contact.note) == (
        alice, "phone", "spoke", "Angry.",
    )  # fmt: skip


def test_a_contact_without_an_outcome_is_asked_for_again(signed_in, task, alice):
    said = do(signed_in(alice), task, "contact", channel="phone", note="Rang twice.")
    assert said.status_code == 422
    assert "This field is required" in text(said)
    assert "Rang twice." in text(said)
    assert not task.contacts.exists()


def closing(task, cause, /, **more) -> dict:
    return {
        "root_cause": cause.pk,
        "outcome": "recovered",
        "action": "Sent a new one.",
        "version": task.version,
        **more,
    }


def test_closing_takes_a_cause_an_outcome_and_an_action(signed_in, task, alice, root_cause, now):
    reach_out.log_contact(task, alice, "phone", "spoke", "", now)
    task.refresh_from_db()
    do(signed_in(alice), task, "close", **closing(task, root_cause))
    task.refresh_from_db()
    assert (task.state, task.root_cause, task.outcome, task.action) == (
        "closed", root_cause, "recovered", "Sent a new one.",
    )  # fmt: skip


@pytest.mark.parametrize("missing", ["root_cause", "outcome", "action"])
def test_closing_says_what_is_missing_and_keeps_the_rest(
    signed_in, task, alice, root_cause, missing
):
    data = closing(task, root_cause, **{missing: ""})
    said = do(signed_in(alice), task, "close", **data)
    assert said.status_code == 409
    assert "Closing needs a root cause, an outcome and the action taken." in text(said)
    if missing != "action":
        assert "Sent a new one." in text(said)
    task.refresh_from_db()
    assert task.state == "open"


def test_nobody_looks_good_without_having_spoken_to_the_customer(
    signed_in, task, alice, root_cause
):
    said = do(signed_in(alice), task, "close", **closing(task, root_cause))
    assert "Nobody has reached this customer yet" in text(said)


def test_a_stale_form_is_refused_and_shows_who_changed_what(
    signed_in, task, alice, lead, root_cause, now
):
    before = closing(task, root_cause, outcome="lost")
    reach_out.log_contact(task, lead, "phone", "left_message", "", now)
    client = signed_in(alice)
    said = do(client, task, "close", **before)
    assert said.status_code == 409
    assert "This task was changed since you opened it. Last change: contact by Lead" in text(said)
    assert "Sent a new one." in text(said)
    assert 'name="version" value="2"' in text(said)
    do(client, task, "close", **before | {"version": 2})
    task.refresh_from_db()
    assert task.state == "closed"


def test_a_closed_task_takes_no_contact_and_keeps_what_was_typed(
    signed_in, task, alice, lead, root_cause, now
):
    close.close(task, lead, root_cause, "lost", "They left.", now)
    said = do(signed_in(alice), task, "contact", channel="phone", outcome="spoke", note="Hello?")
    assert said.status_code == 409
    assert "This task is closed already. Last change: close by Lead" in text(said)
    assert "Hello?" in text(said)
    assert not task.contacts.exists()


def test_taking_a_task_somebody_else_took_first_is_refused(
    signed_in, task, alice, manager, administrator, now
):
    reach_out.assign(task, None, manager, now)
    task.refresh_from_db()
    reach_out.assign(task, administrator, administrator, now)
    said = do(signed_in(manager), task, "take", seen_owner="")
    assert said.status_code == 409
    assert "This task belongs to Administrator by now." in text(said)
    task.refresh_from_db()
    assert task.owner == administrator


def test_taking_makes_it_mine(signed_in, task, alice, lead):
    do(signed_in(lead), task, "take", seen_owner=alice.pk)
    task.refresh_from_db()
    assert task.owner == lead


def test_handing_over_tells_the_new_owner(signed_in, task, alice, lead):
    do(signed_in(lead), task, "assign", to=lead.pk, seen_owner=alice.pk)
    do(signed_in(lead), task, "assign", to=alice.pk, seen_owner=lead.pk)
    task.refresh_from_db()
    assert task.owner == alice
    assert Message.objects.filter(kind="task_opened", task=task, user=alice).count() == 1


def test_a_lead_hands_over_within_the_team_only(signed_in, task, alice, bob, lead, manager):
    said = do(signed_in(lead), task, "assign", to=bob.pk, seen_owner=alice.pk)
    assert said.status_code == 422
    do(signed_in(manager), task, "assign", to=bob.pk, seen_owner=alice.pk)
    task.refresh_from_db()
    assert task.owner == bob


def test_withdrawing_needs_a_reason(signed_in, task, lead):
    client = signed_in(lead)
    assert "Say why the task is withdrawn." in text(do(client, task, "withdraw", reason=" "))
    do(client, task, "withdraw", reason="A test answer.")
    task.refresh_from_db()
    assert (task.state, task.withdrawn_reason) == ("withdrawn", "A test answer.")
    assert "A test answer." in text(client.get(page_of(task)))


@pytest.mark.parametrize("action", ["assign", "withdraw"])
def test_an_account_manager_neither_hands_over_nor_withdraws(signed_in, task, alice, action):
    assert do(signed_in(alice), task, action, to="", reason="No.").status_code == 403
    task.refresh_from_db()
    assert (task.owner, task.state) == (alice, "open")


@pytest.mark.parametrize("action", ["contact", "close", "take", "assign", "withdraw"])
def test_the_auditor_reads_and_changes_nothing(signed_in, task, auditor, root_cause, action):
    client = signed_in(auditor)
    page = client.get(page_of(task))
    assert page.status_code == 200
    assert 'class="voc-button' not in text(page)
    data = {"channel": "phone", "outcome": "spoke", "reason": "No.", **closing(task, root_cause)}
    before = (AuditEntry.objects.count(), task.version)
    assert do(client, task, action, **data).status_code == 403
    task.refresh_from_db()
    assert (AuditEntry.objects.count(), task.version) == before


def test_a_form_from_another_site_is_refused(signed_in, task, alice):
    client = signed_in(alice, enforce_csrf_checks=True)
    assert do(client, task, "contact", channel="phone", outcome="spoke").status_code == 403
    assert not task.contacts.exists()


def test_a_look_at_an_action_changes_nothing(signed_in, task, alice):
    said = signed_in(alice).get(f"/admin/surveys/outreachtask/{task.pk}/contact/")
    assert (said.status_code, said.url) == (302, page_of(task))


def test_three_contacts_cost_as_many_queries_as_one(signed_in, task, alice, opened, now):
    client, costs = signed_in(alice), []
    client.get(page_of(task))  # the first look is noted
    for number in (1, 2, 3):
        reach_out.log_contact(task, alice, "phone", "no_answer", f"Try {number}", now)
        opened(number, f"Other{number} Odd")
        with CaptureQueriesContext(connection) as asked:
            page = client.get(page_of(task))
        costs.append((len(page.context["contacts"]), len(page.context["siblings"]), len(asked)))
    assert [(contacts, siblings) for contacts, siblings, _ in costs] == [(1, 1), (2, 2), (3, 3)]
    assert len({queries for _, _, queries in costs}) == 1
    assert costs[0][2] <= 22


@pytest.mark.parametrize(
    ("changes", "contacts", "words"),
    [
        ({}, 0, "Reach the customer: write to ines@lakeside.example"),
        ({}, 2, "2 attempts so far, nobody reached yet"),
        ({"due_at": -1}, 2, "The 72 hours are over"),
        ({"owner": None}, 0, "Take the task or give it to somebody"),
        ({"first_contact_at": 1}, 1, "The customer has been reached"),
        ({"state": "withdrawn"}, 0, "Nothing: this task is withdrawn."),
    ],
)
def test_the_next_step_follows_from_where_the_task_stands(task, now, changes, contacts, words):
    for name, value in changes.items():
        setattr(task, name, now + timedelta(hours=value) if isinstance(value, int) else value)
    assert next_step(task, [None] * contacts, now).startswith(words)


def test_every_label_points_at_its_own_field(signed_in, task, lead):
    said = text(signed_in(lead).get(page_of(task)))
    ids = re.findall(r' id="([A-Za-z]+Form_[a-z_]+)"', said)
    assert len(ids) == len(set(ids)) == 14
    labelled = re.findall(r' for="([A-Za-z]+Form_[a-z_]+)"', said)
    assert sorted(labelled) == sorted(ids)
