"""What a person sees of a mail that could not decide itself, and what the buttons do."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse

from surveys.delivery import doubt, lanes
from surveys.models import AuditEntry, EscalationRecipient, Message


@pytest.fixture
def mail(opened, now):
    """The invitation of an answered task; in doubt for a minute."""
    opened(1)
    message = Message.objects.get(kind="invitation")
    handed_at = now - timedelta(minutes=1)
    Message.objects.filter(pk=message.pk).update(state="in_doubt", handed_at=handed_at)
    message.refresh_from_db()
    return message


def page_of(client, mail) -> str:
    return client.get(reverse("admin:surveys_message_change", args=[mail.pk])).content.decode()


def decide(client, mail, verb: str):
    return client.post(reverse("admin:surveys_message_decide", args=[mail.pk, verb]), follow=True)


def test_the_page_tells_what_is_known_and_offers_what_may_be_decided(signed_in, manager, mail):
    page = signed_in(manager).get(reverse("admin:surveys_message_change", args=[mail.pk]))
    assert [label for _, label in page.context["buttons"]] == [
        "It arrived",
        "Send it again",
        "Give it up",
    ]
    said = page.content.decode()
    assert "may still settle it by itself" in said
    assert "The customer has answered" in said


def test_after_ten_minutes_it_waits_for_a_person(signed_in, manager, mail):
    Message.objects.update(handed_at=mail.handed_at - doubt.WAIT)
    assert "so it waits for you" in page_of(signed_in(manager), mail)


@pytest.mark.parametrize(
    ("verb", "state"), [("arrived", "sent"), ("again", "queued"), ("give-up", "cancelled")]
)
def test_each_button_decides_and_is_audited(signed_in, manager, mail, verb, state):
    assert "Decided for 1 mail." in decide(signed_in(manager), mail, verb).content.decode()
    mail.refresh_from_db()
    assert mail.state == state
    entry = AuditEntry.objects.get(noun="message")
    assert (entry.actor, entry.before, entry.after) == (
        manager,
        {"state": "in_doubt"},
        {"state": state},
    )


def test_what_was_decided_already_is_left_alone(signed_in, manager, mail):
    decide(signed_in(manager), mail, "arrived")
    said = decide(signed_in(manager), mail, "give-up").content.decode()
    assert "This mail is sent by now." in said
    mail.refresh_from_db()
    assert mail.state == "sent"


def test_only_who_may_change_mails_decides(signed_in, auditor, alice, mail):
    assert "Send it again" not in page_of(signed_in(auditor), mail)
    for user in (auditor, alice):
        assert decide(signed_in(user), mail, "again").status_code == 403
    mail.refresh_from_db()
    assert mail.state == "in_doubt"


def test_a_get_decides_nothing(signed_in, manager, mail):
    address = reverse("admin:surveys_message_decide", args=[mail.pk, "arrived"])
    assert signed_in(manager).get(address).status_code == 405


def test_several_are_decided_at_once(signed_in, manager, mail, opened):
    opened(2, "Tom Berg")
    Message.objects.filter(kind="invitation").update(state="held")
    chosen = list(Message.objects.filter(kind="invitation").values_list("pk", flat=True))
    signed_in(manager).post(
        reverse("admin:surveys_message_changelist"),
        {"action": "send_again", "_selected_action": chosen},
    )
    states = Message.objects.filter(pk__in=chosen).values_list("state", flat=True)
    assert list(states) == ["queued", "queued"]


def test_a_lane_in_trouble_is_shown_where_people_look(signed_in, administrator, mail, now):
    lanes.pause(now, "mail.northwind.example: certificate has expired", alarm_at_once=True)
    for address in ("admin:index", "admin:surveys_message_changelist"):
        said = signed_in(administrator).get(reverse(address)).content.decode()
        assert "certificate has expired" in said
    lanes.works()
    said = signed_in(administrator).get(reverse("admin:index")).content.decode()
    assert "certificate has expired" not in said


def test_it_says_to_whom_each_mail_goes(signed_in, manager, task, alice, now):
    """Customers, colleagues, and heads who have no log-in."""
    head = EscalationRecipient.objects.create(tier=3, name="Hanne", email="hanne@northwind.example")
    about = {"created_at": now, "next_at": now}
    escalation = task.escalations.create(
        began_at=task.started_at, level=3, after_hours=72, waits_for="reached", at=now
    )
    Message.objects.all().delete()
    Message.objects.create(
        kind="escalation", dedupe_key="1", escalation=escalation, recipient=head, **about
    )
    Message.objects.create(kind="task_opened", dedupe_key="2", task=task, user=alice, **about)
    written = Message.objects.create(kind="task_mail", dedupe_key="3", task=task, **about)
    client = signed_in(manager)
    said = client.get(reverse("admin:surveys_message_changelist")).content.decode()
    to = re.findall(r"field-to[^>]*>(.*?)</td>", said, re.DOTALL)
    assert sorted(re.sub(r"<[^>]+>", "", each).strip() for each in to) == [
        "Alice", "Hanne", "Ines Okafor",
    ]  # fmt: skip
    assert "Ines Okafor" in page_of(client, written)
