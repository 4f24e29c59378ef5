"""Policies, recipients, chat rooms, preferences, and the tasks that follow people and accounts."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from surveys.loop import escalate
from surveys.models import (
    Absence,
    AuditEntry,
    ChatHook,
    ChatMessage,
    Escalation,
    EscalationPolicy,
    EscalationRecipient,
    EscalationStep,
    OutreachTask,
    Team,
    User,
)
from tests.surveys.admin.conftest import do, page_of

HOUR = timedelta(hours=1)


@pytest.fixture
def policy(db, now):
    policy = EscalationPolicy.objects.create(name="Usual")
    since = now - 900 * HOUR
    steps = [(36, "opened", "owner"), (48, "reached", "lead"), (72, "reached", "head")]
    for hours, waits_for, who in steps:
        told = {f"to_{who}": True}
        policy.steps.create(after_hours=hours, waits_for=waits_for, since=since, **told)
    return policy


@pytest.fixture
def hook(db):
    return ChatHook.objects.create(name="#care", url="https://chat.example/services/s3cret")


def change(noun, pk):
    return reverse(f"admin:surveys_{noun}_change", args=[pk])


def text(said) -> str:
    return " ".join(said.content.decode().split())


STEPS = {
    "steps-TOTAL_FORMS": "1", "steps-INITIAL_FORMS": "0", "steps-0-after_hours": "24",
    "steps-0-waits_for": "reached", "steps-0-to_owner": "on", "steps-0-to_lead": "on",
}  # fmt: skip


def test_a_manager_writes_a_policy_and_reads_it_in_plain_words(signed_in, manager):
    client = signed_in(manager)
    empty = client.get(reverse("admin:surveys_escalationpolicy_changelist"))
    assert "No policy yet." in text(empty)
    data = {"name": "Big ones", "is_active": "on", "from_revenue": "100000", "segment": ""}
    said = client.post(reverse("admin:surveys_escalationpolicy_add"), {**data, **STEPS})
    assert said.status_code == 302
    policy = EscalationPolicy.objects.get()
    page = text(client.get(change("escalationpolicy", policy.pk)))
    assert "All accounts from 100,000 EUR a year" in page
    words = "24 hours after the answer, if nobody has reached the customer"
    assert f"{words}: tell owner and team lead." in page
    listed = client.get(reverse("admin:surveys_escalationpolicy_changelist"))
    assert "are never escalated" in text(listed)  # those of all other accounts
    assert AuditEntry.objects.filter(verb="add", noun="escalationpolicy").count() == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"steps-0-to_owner": "", "steps-0-to_lead": ""}, "Tick at least one who is told."),
        ({"steps-0-after_hours": "0"}, "greater than or equal to 1"),
        ({"steps-0-after_hours": "721"}, "less than or equal to 720"),
        ({"name": "Usual"}, "already exists"),
        ({"from_revenue": "-1"}, "greater than or equal to 0"),
        ({"is_active": "on"}, "Another policy in force is for the same accounts."),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(signed_in, manager, policy, change, said):
    data = {"name": "New", **STEPS, **change}
    answer = signed_in(manager).post(reverse("admin:surveys_escalationpolicy_add"), data)
    assert answer.status_code == 200
    assert said in text(answer)
    assert EscalationPolicy.objects.count() == 1


def test_what_would_have_happened_to_a_task(signed_in, manager, lead, policy, opened, now):
    task = opened(50)
    client = signed_in(manager)
    page = client.get(change("escalationpolicy", policy.pk), {"task": task.pk})
    told = {one.step.after_hours: [str(p) for p in one.told] for one in page.context["foretold"]}
    assert told == {36: ["Alice"], 48: ["Lead"], 72: ["Manager"]}
    assert "If it stays so: Manager" in text(page)
    assert "This policy is the one for it." in text(page)
    do(client, task, "contact", channel="phone", outcome="spoke", note="")
    OutreachTask.objects.update(first_contact_at=task.started_at + 40 * HOUR)
    page = client.get(change("escalationpolicy", policy.pk), {"task": task.pk})
    why = [one.why_not for one in page.context["foretold"]]
    assert why == ["", "The customer had been reached.", "The customer had been reached."]
    assert not Escalation.objects.exists()


def test_without_any_task_the_rehearsal_says_so(signed_in, manager, policy):
    page = signed_in(manager).get(change("escalationpolicy", policy.pk))
    assert "There is no task to try it on yet." in text(page)
    page = signed_in(manager).get(change("escalationpolicy", policy.pk), {"task": "x"})
    assert page.status_code == 200


def test_recipients_are_named_without_a_log_in(signed_in, manager):
    client = signed_in(manager)
    data = {"name": "Hedda", "email": "hedda@northwind.example", "tier": "3", "is_active": "on"}
    client.post(reverse("admin:surveys_escalationrecipient_add"), data)
    assert EscalationRecipient.objects.get().whose == "All accounts"
    assert not User.objects.filter(name="Hedda").exists()
    refused = client.post(reverse("admin:surveys_escalationrecipient_add"), {**data, "tier": "1"})
    assert "Select a valid choice" in text(refused)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://chat.example/x", "Give an address that begins with https://"),
        ("https://user:word@chat.example/x", "names no user"),
        ("https://chat.example:22/x", "Only the ports 443 and 8443 are used."),
        ("https://[::1", "This is not a web address."),
        ("javascript:alert(1)", "Give an address that begins with https://"),
    ],
)
def test_a_room_needs_a_proper_address(signed_in, manager, url, said):
    data = {"name": "#care", "kind": "slack", "url": url, "from_level": "2"}
    answer = signed_in(manager).post(reverse("admin:surveys_chathook_add"), data)
    assert said in text(answer)
    assert not ChatHook.objects.exists()


def test_the_address_of_a_room_is_a_secret(signed_in, manager, auditor, hook):
    assert "s3cret" in text(signed_in(manager).get(change("chathook", hook.pk)))
    for view in ("changelist", "change"):
        args = [hook.pk] if view == "change" else []
        page = text(signed_in(auditor).get(reverse(f"admin:surveys_chathook_{view}", args=args)))
        assert "s3cret" not in page
    data = {"name": "#care", "kind": "slack", "url": f"{hook.url}2", "from_level": "2"}
    signed_in(manager).post(change("chathook", hook.pk), data)
    hook.refresh_from_db()
    assert hook.url.endswith("s3cret2")
    entry = AuditEntry.objects.get(verb="change", noun="chathook")
    assert "s3cret" not in f"{entry.before} {entry.after}"


def test_a_test_is_sent_once_however_often_one_presses(signed_in, manager, auditor, hook):
    address = reverse("admin:surveys_chathook_test", args=[hook.pk])
    assert signed_in(auditor).post(address).status_code == 403
    client = signed_in(manager)
    assert client.get(address).status_code == 302
    for _ in range(2):
        page = client.post(address, follow=True)
    assert "A test is on its way already." in text(page)
    assert [(one.hook, one.escalation) for one in ChatMessage.objects.all()] == [(hook, None)]


def test_a_room_that_was_put_right_is_told_again(signed_in, manager, hook, now):
    ChatHook.objects.update(stopped_reason="status 410", failing_since=now)
    client = signed_in(manager)
    assert "Stopped: status 410" in text(client.get(reverse("admin:surveys_chathook_changelist")))
    data = {"name": "#care", "kind": "teams", "url": hook.url, "from_level": "2"}
    client.post(change("chathook", hook.pk), data)
    hook.refresh_from_db()
    assert (hook.stopped_reason, hook.failing_since, hook.kind) == ("", None, "teams")


def test_everybody_chooses_how_they_are_told(signed_in, alice, auditor):
    client = signed_in(alice)
    page = client.get(reverse("preferences"))
    assert "No absence is planned." in text(page)
    said = client.post(
        reverse("preferences"), {"notices": "digest", "time_zone": "Europe/Lisbon"}, follow=True
    )
    assert "Your preferences are saved." in text(said)
    alice.refresh_from_db()
    assert (alice.notices, alice.time_zone) == ("digest", "Europe/Lisbon")
    entry = AuditEntry.objects.get(noun="user", noun_id=alice.pk)
    assert entry.before == {"notices": "at_once", "time_zone": ""}
    refused = client.post(reverse("preferences"), {"notices": "loudly", "time_zone": "Nowhere"})
    assert refused.status_code == 422
    assert "is not a time zone" in text(refused)
    auditor.refresh_from_db()
    assert auditor.notices == "at_once"


def test_my_page_shows_when_i_am_away_and_whom_i_cover(signed_in, alice, lead):
    day = timezone.localdate()
    Absence.objects.create(user=alice, cover=lead, first_day=day, last_day=day)
    assert "covered by Lead" in text(signed_in(alice).get(reverse("preferences")))
    assert "You cover Alice" in text(signed_in(lead).get(reverse("preferences")))


def test_a_task_shows_how_far_it_was_escalated_and_who_knows_of_it(
    signed_in, policy, opened, alice, lead, now
):
    task = opened(50)
    assert "Escalated" not in text(signed_in(lead).get(page_of(task)))
    OutreachTask.objects.update(seen_at=None)
    escalate.escalate(now)
    client = signed_in(alice)
    page = text(client.get(page_of(task)))
    assert "36 hours after the answer, nobody has opened the task: up to the owner" in page
    assert "I know of it" in page
    page = text(client.post(
        reverse("admin:surveys_outreachtask_acknowledge", args=[task.pk]), follow=True
    ))  # fmt: skip
    assert "Alice knows of it since" in page
    assert "ends the daily reminders" not in page
    task.refresh_from_db()
    assert task.seen_at is not None


def test_nobody_acknowledges_what_was_not_escalated(signed_in, task, alice):
    said = do(signed_in(alice), task, "acknowledge")
    assert said.status_code == 409


def test_opening_a_page_is_noted_for_those_who_work_only(signed_in, task, auditor, alice):
    signed_in(auditor).get(page_of(task))
    task.refresh_from_db()
    assert task.seen_at is None
    signed_in(alice).get(page_of(task))
    task.refresh_from_db()
    assert task.seen_at is not None


@pytest.mark.parametrize(("moves", "owner"), [("on", "Bob"), ("", "Alice")])
def test_open_tasks_move_with_the_account_by_choice(
    signed_in, manager, task, account, bob, moves, owner
):
    client = signed_in(manager)
    page = client.get(change("account", account.pk))
    assert "With a new owner, open tasks move along" in text(page)
    data = {"name": account.name, "owner": bob.pk, "segment": account.segment, "region": ""}
    client.post(change("account", account.pk), data | ({"move_tasks": moves} if moves else {}))
    task.refresh_from_db()
    account.refresh_from_db()
    assert (str(account.owner), str(task.owner)) == ("Bob", owner)


def test_who_leaves_hands_on_what_is_open(signed_in, administrator, task, alice, team):
    carol = User.objects.create_user("carol@northwind.example", name="Carol", team=team)
    Team.objects.update(takes_unowned=True)
    data = {"name": "Alice", "email": alice.email, "role": alice.role, "team": team.pk}
    said = signed_in(administrator).post(change("user", alice.pk), data, follow=True)
    assert "1 open task of Alice went on to others." in text(said)
    task.refresh_from_db()
    assert task.owner == carol


def test_a_manager_says_which_team_takes_what_is_nobody_s(signed_in, manager, team):
    client = signed_in(manager)
    data = {"name": "North", "takes_unowned": "on", "segments": "Retail,Enterprise"}
    assert client.post(change("team", team.pk), data).status_code == 302
    team.refresh_from_db()
    assert (team.takes_unowned, team.segments) == (True, ["Retail", "Enterprise"])
    listed = text(client.get(reverse("admin:surveys_team_changelist")))
    assert "Retail, Enterprise" in listed


@pytest.mark.parametrize("rows", [1, 3])
def test_lists_cost_the_same_for_any_number_of_rows(
    signed_in, manager, rows, django_assert_num_queries
):
    for number in range(rows):
        policy = EscalationPolicy.objects.create(name=f"P{number}", segment=f"S{number}")
        EscalationStep.objects.create(policy=policy, after_hours=36, to_owner=True)
        ChatHook.objects.create(name=f"#{number}", url="https://chat.example/x")
    client = signed_in(manager)
    client.get(reverse("admin:surveys_chathook_changelist"))
    with django_assert_num_queries(7):
        client.get(reverse("admin:surveys_escalationpolicy_changelist"))
    with django_assert_num_queries(5):
        client.get(reverse("admin:surveys_chathook_changelist"))
