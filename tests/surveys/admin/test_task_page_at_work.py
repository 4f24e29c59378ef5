"""Every click that a task's page offers: what it does, and how it is refused."""

import re
from datetime import timedelta

import pytest
from django.apps import apps
from django.utils import timezone
from django.utils.formats import date_format

from surveys.loop import answer, ask, close, confirm, reach_out, snooze
from surveys.models import (
    AuditEntry,
    Confirmation,
    MailTemplate,
    Message,
    OutreachTask,
    RootCause,
    Suppression,
    TaskMail,
)
from tests.conftest import colleague
from tests.surveys.admin.conftest import do, page_of

HOUR = timedelta(hours=1)


def text(response) -> str:
    return response.content.decode()


def seen(page) -> dict:
    """The hidden fields that say what the sender saw."""
    found = dict(re.findall(r'type="hidden" name="(version|seen)" value="(\d+)"', text(page)))
    assert found.keys() == {"version", "seen"}
    return found


# A contact


def test_a_claimed_time_is_kept_beside_and_decides_nothing(signed_in, task, alice, now):
    alice.time_zone = "Asia/Tokyo"
    alice.save()
    claimed = timezone.localtime(now - 3 * HOUR, alice.zone).replace(second=0, microsecond=0)
    client = signed_in(alice)
    do(client, task, "contact", channel="phone", outcome="spoke",
       claimed_at=claimed.strftime("%Y-%m-%dT%H:%M"))  # fmt: skip
    contact = task.contacts.get()
    assert contact.claimed_at == claimed
    task.refresh_from_db()
    assert task.first_contact_at == contact.logged_at > claimed
    assert "as Alice says" in text(client.get(page_of(task)))


def test_a_contact_still_to_come_is_refused_with_what_was_typed(signed_in, task, alice, now):
    ahead = timezone.localtime(now + 48 * HOUR).strftime("%Y-%m-%dT%H:%M")
    said = do(signed_in(alice), task, "contact", channel="phone", outcome="spoke", note="Soon",
              claimed_at=ahead)  # fmt: skip
    assert said.status_code == 409
    assert "This is still to come." in text(said)
    assert "Soon</textarea>" in text(said)
    assert f'value="{ahead}"' in text(said)
    assert not task.contacts.exists()


def test_one_conversation_is_logged_with_several_tasks_of_the_account(
    signed_in, task, opened, alice
):
    others = [opened(5, "Omar Odd"), opened(4, "Uma Une")]
    client = signed_in(alice)
    page = text(client.get(page_of(task)))
    assert "It was about these as well" in page
    assert re.search(r"</?input[^>]*> <span>Omar Odd, score 2, Alice</span>", page)
    do(client, task, "contact", channel="phone", outcome="spoke", also=[others[0].pk])
    reached = OutreachTask.objects.exclude(first_contact_at=None)
    assert set(reached) == {task, others[0]}
    assert len({each.contacts.get().conversation for each in reached}) == 1
    assert "One conversation about several tasks" in text(client.get(page_of(others[0])))


def test_tasks_of_other_accounts_cannot_be_slipped_in(signed_in, task, opened, alice, bobs_account):
    other = opened(5, "Zoe Zed", to=bobs_account)
    opened(4, "Uma Une")
    said = do(signed_in(alice), task, "contact", channel="phone", outcome="spoke", also=[other.pk])
    assert said.status_code == 422
    assert not other.contacts.exists()


def test_a_task_that_was_closed_meanwhile_is_named_as_the_obstacle(
    signed_in, task, opened, alice, lead, root_cause, now
):
    gone, left = opened(5, "Omar Odd"), opened(4, "Uma Une")
    close.close(gone, lead, root_cause, "lost", "They left.", now)
    said = do(signed_in(alice), task, "contact", channel="phone", outcome="spoke", note="Both",
              also=[gone.pk, left.pk])  # fmt: skip
    assert said.status_code == 422
    assert "One of them is closed or another&#x27;s by now." in text(said)
    assert "Both</textarea>" in text(said)
    assert not task.contacts.exists()


def test_a_double_click_logs_one_contact(signed_in, task, alice):
    client = signed_in(alice)
    form = {"channel": "phone", "outcome": "no_answer"} | seen(client.get(page_of(task)))
    said = [do(client, task, "contact", **form).status_code for _ in range(2)]
    assert (said, task.contacts.count()) == ([302, 409], 1)


# Stale forms


def test_a_refusal_shows_what_others_have_done_meanwhile(
    signed_in, task, alice, lead, root_cause, now
):
    client = signed_in(alice)
    before = seen(client.get(page_of(task)))
    reach_out.log_contact(task, lead, "phone", "left_message", "Rang at noon", now)
    reach_out.assign(task, lead, lead, now)
    said = do(client, task, "close", root_cause=root_cause.pk, outcome="lost", action="They left.",
              **before)  # fmt: skip
    assert said.status_code == 409
    assert [line.sentence for line in said.context["changes"]] == [
        "Lead handed over the outreach task",
        "Lead logged a contact on the outreach task",
    ]
    assert "Done since then:" in text(said)
    assert "They left.</textarea>" in text(said)
    task.refresh_from_db()
    assert (task.state, task.owner) == ("open", lead)
    again = seen(said)
    do(client, task, "close", root_cause=root_cause.pk, outcome="lost", action="They left.",
       **again)  # fmt: skip
    task.refresh_from_db()
    assert task.state == "closed"


@pytest.mark.parametrize(
    ("action", "data"),
    [
        ("contact", {"channel": "phone", "outcome": "spoke", "note": "Mine"}),
        ("write", {"subject": "Mine", "text": "Mine"}),
        ("snooze", {"until": "2030-01-01T10:00", "reason": "Mine"}),
        ("close", {"outcome": "lost", "action": "Mine"}),
        ("withdraw", {"reason": "Mine"}),
    ],
)
def test_every_form_that_is_stale_is_refused_and_keeps_what_was_typed(
    signed_in, task, lead, alice, root_cause, now, action, data
):
    client = signed_in(lead)
    before = seen(client.get(page_of(task)))
    reach_out.log_contact(task, alice, "phone", "left_message", "", now)
    task.refresh_from_db()
    stood = (task.version, task.state, task.snoozed_until, Message.objects.count())
    if "until" in data:
        data = data | {"until": (now + 5 * HOUR).strftime("%Y-%m-%dT%H:%M")}
    if action == "close":
        data = data | {"root_cause": root_cause.pk}
    said = do(client, task, action, **data, **before)
    assert said.status_code == 409
    assert "This task was changed since you opened it. Last change: contact by Alice" in text(said)
    assert "Mine" in text(said)
    task.refresh_from_db()
    assert (task.version, task.state, task.snoozed_until, Message.objects.count()) == stood


def test_who_took_it_first_is_named_with_the_time(signed_in, task, manager, administrator, now):
    reach_out.assign(task, None, manager, now)
    task.refresh_from_db()
    reach_out.assign(task, administrator, administrator, now)
    said = text(do(signed_in(manager), task, "take", seen_owner=""))
    assert "belongs to Administrator by now. Last change: assign by Administrator, 20" in said


def test_a_number_of_the_newest_entry_that_is_none_shows_no_changes(signed_in, task, alice):
    for made_up in ("", "x", "-1", "9" * 400):
        said = do(
            signed_in(alice), task, "snooze", until="2001-01-01T10:00", reason="", seen=made_up
        )
        assert (said.status_code, said.context["changes"]) == (409, [])


# Snoozing


def test_snoozing_never_moves_the_deadline(signed_in, task, alice, now):
    client, due_at = signed_in(alice), task.due_at
    page = client.get(page_of(task))
    offered = page.context["snooze_form"].initial["until"]
    assert timezone.localtime(offered).strftime("%H:%M") == "09:00"
    do(client, task, "snooze", until=timezone.localtime(offered).strftime("%Y-%m-%dT%H:%M"),
       reason="In a meeting until then", **seen(page))  # fmt: skip
    task.refresh_from_db()
    assert (task.snoozed_until, task.due_at) == (offered, due_at)
    said = text(client.get(page_of(task)))
    assert "In a meeting until then" in said
    do(client, task, "wake", version=task.version)
    task.refresh_from_db()
    assert task.snoozed_until is None


@pytest.mark.parametrize(
    ("hours", "reason", "words"),
    [(5, "", "Say why it can wait."), (-5, "Busy", "Choose a moment within the next 30 days.")],
)
def test_a_snooze_without_sense_is_refused(signed_in, task, alice, now, hours, reason, words):
    until = timezone.localtime(now + hours * HOUR).strftime("%Y-%m-%dT%H:%M")
    said = do(signed_in(alice), task, "snooze", until=until, reason=reason)
    assert said.status_code == 409
    assert words in text(said)


def test_waking_a_task_that_is_awake_is_refused(signed_in, task, alice):
    said = do(signed_in(alice), task, "wake")
    assert said.status_code == 409


# Handing over


def test_an_account_manager_hands_over_within_the_team(signed_in, task, alice, bob, team):
    cara = colleague("cara", "account_manager", team)
    client = signed_in(alice)
    assert do(client, task, "assign", to=bob.pk, seen_owner=alice.pk).status_code == 422
    assert do(client, task, "assign", to="", seen_owner=alice.pk).status_code == 422
    said = do(client, task, "assign", to=cara.pk, seen_owner=alice.pk, why="Speaks Dutch")
    assert (said.status_code, said.url) == (302, page_of(task))  # the account is hers
    task.refresh_from_db()
    assert task.owner == cara
    entry = AuditEntry.objects.get(verb="assign", actor=alice)
    assert entry.reason == "Speaks Dutch"


def test_what_is_anothers_to_see_by_now_leads_to_the_queue(
    signed_in, opened, alice, team, bobs_account, manager, now
):
    theirs = opened(3, "Zoe Zed", to=bobs_account)
    reach_out.assign(theirs, alice, manager, now)
    cara = colleague("cara", "account_manager", team)
    said = do(signed_in(alice), theirs, "assign", to=cara.pk, seen_owner=alice.pk)
    assert (said.status_code, said.url) == (302, "/admin/surveys/outreachtask/")


# Mails


@pytest.fixture
def templates(db):
    text = "Hello {name},\n\nyou wrote on {answered} about {product}.\n\n{sender}, {company}"
    MailTemplate.objects.create(name="Sorry", subject="About {product}", text=text)
    MailTemplate.objects.create(
        name="Sorry", language="de", subject="Zu {product}", text="Hallo {name}"
    )
    MailTemplate.objects.create(name="Old", subject="Old", text="Old", is_active=False)
    return {each.language: each for each in MailTemplate.objects.filter(name="Sorry")}


def test_a_template_is_filled_in_and_what_was_typed_is_sent(
    signed_in, task, alice, templates, settings
):
    settings.COMPANY = "Northwind"
    client = signed_in(alice)
    page = client.get(page_of(task), {"template": templates["en"].pk})
    answered = date_format(timezone.localtime(task.response.answered_at))
    assert page.context["write_form"].initial == {
        "subject": "About Delivery",
        "text": f"Hello Ines Okafor,\n\nyou wrote on {answered} about Delivery.\n\n"
        "Alice, Northwind",
    }
    do(client, task, "write", subject="About Delivery", text="We are on it.", **seen(page))
    mail = TaskMail.objects.get()
    assert (mail.user, mail.subject, mail.text, mail.task) == (
        alice, "About Delivery", "We are on it.", task,
    )  # fmt: skip
    assert (mail.message.kind, mail.message.state) == ("task_mail", "queued")
    said = text(client.get(page_of(task)))
    assert "Waits to be sent" in said
    assert not task.contacts.exists()


def test_templates_in_the_customers_language_stand_apart(signed_in, task, alice, templates):
    task.customer.language = "de"
    task.customer.save()
    page = signed_in(alice).get(page_of(task))
    assert [each.language for each in page.context["templates"]] == ["de"]
    assert [each.language for each in page.context["other_templates"]] == ["en"]
    assert ">Sorry (English)</a>" in text(page)


def test_a_mail_with_a_placeholder_left_in_it_is_refused(signed_in, task, alice):
    said = do(signed_in(alice), task, "write", subject="Hello", text="Dear {name},")
    assert said.status_code == 409
    assert "“{name}” is not filled in" in text(said)
    assert "Dear {name},</textarea>" in text(said)
    assert not TaskMail.objects.exists()


def test_what_became_of_a_mail_stands_beside_it(signed_in, task, alice):
    client = signed_in(alice)
    do(client, task, "write", subject="Sorry", text="We are on it.")
    for state, error, words in (
        ("queued", "", "Waits to be sent"),
        ("sent", "", "Sent"),
        ("failed", "550 No such user", "Not sent. 550 No such user"),
        ("cancelled", "Mails to this address come back.", "Not sent. Mails to this address"),
    ):
        Message.objects.filter(kind="task_mail").update(
            state=state, last_error=error, sent_at=timezone.now()
        )
        assert f">{words}" in text(client.get(page_of(task)))
    message = Message.objects.get(kind="task_mail")
    message.events.create(kind="hard_bounce", source="smtp", event_id="1", at=timezone.now())
    assert ">Came back</span>" in text(client.get(page_of(task)))


def test_who_cannot_be_mailed_is_called_instead(signed_in, task, alice, now):
    task.customer.phone = "+49 30 1234"
    task.customer.save()
    Suppression.add("ines@lakeside.example", Suppression.Reason.BOUNCED, now)
    said = text(signed_in(alice).get(page_of(task)))
    assert "Mails to this address come back. Call instead" in said
    assert "Send the mail" not in said


# The customer's word, and the second deadline


@pytest.fixture
def denied(task, alice, root_cause, now, settings):
    """Closed as recovered within five hours; a day later the customer says that nobody called."""
    then = task.started_at
    OutreachTask.objects.filter(pk=task.pk).update(
        started_at=then - 40 * HOUR, due_at=then + 32 * HOUR
    )
    reach_out.log_contact(task, alice, "phone", "spoke", "", now - 35 * HOUR)
    close.close(task, alice, root_cause, "recovered", "Called.", now - 34 * HOUR)
    assert confirm.ask(now - 9 * HOUR) == 1
    question = Confirmation.objects.get()
    confirm.answer(question, "no", "", "Nobody called me.", now - 2 * HOUR)
    task.refresh_from_db()
    return task


def test_after_a_denial_both_deadlines_stand_with_their_verdicts(signed_in, denied, alice):
    page = signed_in(alice).get(page_of(denied))
    assert [(one.name, one.tone) for one in page.context["deadlines"]] == [
        ("72 hours", "green"),
        ("24 hours after their no", "amber"),
    ]
    said = text(page)
    for words in (
        "It was closed, and the customer says it is not over.",
        "reached after 15 h",
        "21 h 59 min left",
        "Denied: we had said that we reached them",
        "Nobody called me.",
    ):
        assert words in said


def test_a_customer_who_will_be_asked_is_announced(signed_in, task, alice, root_cause, now):
    reach_out.log_contact(task, alice, "phone", "spoke", "", now)
    close.close(task, alice, root_cause, "recovered", "Called.", now)
    client = signed_in(alice)
    assert "They are asked on" in text(client.get(page_of(task)))
    confirm.ask(now + 25 * HOUR)
    said = text(client.get(page_of(task)))
    assert "They are asked on" not in said
    assert "No answer yet" in said
    confirm.answer(Confirmation.objects.get(), "yes", "yes", "", now + 26 * HOUR)
    assert "Confirmed" in text(client.get(page_of(task)))


# What is known from before


def test_earlier_tasks_and_their_root_causes_are_told(signed_in, task, nps, alice, root_cause, now):
    then = now - 200 * HOUR
    asked = ask.invite(nps, [task.customer], "test:before", then)[0]
    earlier = answer.give(asked, 4, "Late.", then)[0].task
    close.close(earlier, alice, root_cause, "lost", "They left.", now - 190 * HOUR)
    said = text(signed_in(alice).get(page_of(task)))
    assert f'<a href="{page_of(earlier)}">Score 4</a>' in said
    assert "Late delivery, Alice" in said


def test_what_answers_are_about_is_told_as_far_as_it_is_known(signed_in, task, nps, alice, now):
    then = now - 200 * HOUR
    asked = ask.invite(nps, [task.customer], "test:before", then)[0]
    earlier = answer.give(asked, 9, "Quick.", then)[0]
    theme = apps.get_model("analysis", "Theme")
    mention = apps.get_model("analysis", "Mention")
    for response, label in ((task.response, "Late delivery"), (earlier, "Speed")):
        about = theme.objects.create(survey=nps, label=label, born_at=now)
        mention.objects.create(theme=about, response=response, confidence=0.9, is_main=True)
    page = signed_in(alice).get(page_of(task))
    assert page.context["theme"] == "Late delivery"
    assert page.context["earlier"] == [(earlier, "Speed")]
    assert "<dt>Theme</dt><dd>Late delivery</dd>" in text(page)


def test_root_causes_stand_in_two_levels(signed_in, task, alice):
    delivery = RootCause.objects.create(name="Delivery")
    RootCause.objects.create(name="Came late", parent=delivery)
    RootCause.objects.create(name="Retired", parent=delivery, is_active=False)
    RootCause.objects.create(name="Attitude")
    offered = signed_in(alice).get(page_of(task)).context["close_form"].fields["root_cause"].choices
    assert [(str(a), b if isinstance(b, str) else [name for _, name in b]) for a, b in offered][
        2:
    ] == [("Delivery", ["Came late"])]
    assert "Attitude" in str(list(offered)[1])


def test_snoozed_is_shown_to_who_only_reads(signed_in, task, alice, auditor, now):
    snooze.snooze(task, alice, now + HOUR, "Lunch", now)
    said = text(signed_in(auditor).get(page_of(task)))
    assert "Lunch" in said
    assert "Back into the queue" not in said
