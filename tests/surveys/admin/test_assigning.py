"""Many tasks at once: the preview, what is refused and why, and who was quicker."""

from django.urls import reverse

from surveys.loop import close, hand_out, reach_out
from surveys.models import Absence, AuditEntry, Message, OutreachTask
from tests.surveys.admin.conftest import queue

LIST = reverse("admin:surveys_outreachtask_changelist")
ASSIGN = reverse("admin:surveys_outreachtask_assign_many")
TAKE = reverse("admin:surveys_outreachtask_take_listed")


def chosen(*tasks) -> list[str]:
    """As the form says it: each task with whose it is."""
    return [f"{task.pk}:{task.owner_id or ''}" for task in tasks]


def owners() -> dict[str, str]:
    rows = OutreachTask.objects.order_by("customer__name")
    return dict(rows.values_list("customer__name", "owner__name"))


def give(client, to, *tasks, step="assign", back=""):
    data = {"task": chosen(*tasks), "to": to.pk if to else "", "step": step, "back": back}
    return client.post(ASSIGN, data)


def test_the_list_leads_to_the_page_that_asks_who_gets_them(signed_in, opened, manager):
    tasks = [opened(10, "Ada"), opened(20, "Bea")]
    data = {"action": "assign_chosen", "index": 0, "_selected_action": [t.pk for t in tasks]}
    page = signed_in(manager).post(f"{LIST}?queue=open", data)
    assert [row.task.customer.name for row in page.context["rows"]] == ["Bea", "Ada"]
    assert page.context["back"] == "queue=open"
    assert owners() == {"Ada": "Alice", "Bea": "Alice"}


def test_more_than_can_be_looked_over_are_refused(signed_in, opened, manager, monkeypatch):
    monkeypatch.setattr(hand_out, "MOST", 1)
    tasks = [opened(10, "Ada"), opened(20, "Bea")]
    data = {"action": "assign_chosen", "index": 0, "_selected_action": [t.pk for t in tasks]}
    page = signed_in(manager).post(LIST, data, follow=True)
    assert "Choose up to 1 tasks at once." in page.content.decode()


def test_the_preview_says_who_gets_what_and_changes_nothing(
    signed_in, opened, manager, alice, bob, root_cause, now
):
    kept = opened(10, "Ada")
    over, theirs = opened(20, "Bea"), opened(30, "Cleo")
    close.close(over, alice, root_cause, "lost", "Left us.", now)
    reach_out.assign(theirs, bob, manager, now)
    theirs.refresh_from_db()
    page = give(signed_in(manager), bob, kept, over, theirs, step="preview")
    assert [task.customer.name for task in page.context["given"]] == ["Ada"]
    said = page.content.decode()
    for words in (
        "1 task goes to <b>Bob</b>",
        "2 cannot be given",
        "This task is closed already.",
        "It is Bob’s already.",
        "Bob has 1 open task and will have 2.",
        "Give 1 task to Bob",
    ):
        assert words in said
    assert owners() == {"Ada": "Alice", "Bea": "Alice", "Cleo": "Bob"}


def test_the_preview_says_who_is_away(signed_in, opened, manager, alice, bob, now):
    today = now.date()
    Absence.objects.create(user=bob, cover=alice, first_day=today, last_day=today)
    said = give(signed_in(manager), bob, opened(10), step="preview").content.decode()
    assert "Bob is away until" in said
    assert "Alice sees and works these tasks until then." in said


def test_what_was_previewed_is_done_and_told_and_recorded(signed_in, opened, manager, bob):
    tasks = [opened(10, "Ada"), opened(20, "Bea")]
    page = give(signed_in(manager), bob, *tasks, back="queue=open")
    assert (page.status_code, page.url) == (302, f"{LIST}?queue=open")
    assert owners() == {"Ada": "Bob", "Bea": "Bob"}
    assert Message.objects.filter(kind=Message.Kind.TASK_OPENED, user=bob).count() == 2
    entries = AuditEntry.objects.filter(verb="assign", actor=manager)
    assert {entry.noun_id for entry in entries} == {task.pk for task in tasks}


def test_they_can_be_given_to_nobody(signed_in, opened, manager):
    give(signed_in(manager), None, opened(10, "Ada"))
    assert owners() == {"Ada": None}


def test_who_was_quicker_is_told_and_the_others_are_given(
    signed_in, opened, manager, lead, bob, now
):
    tasks = [opened(10, "Ada"), opened(20, "Bea")]
    sent = chosen(*tasks)  # as it was shown, before somebody else took one
    reach_out.assign(tasks[0], lead, lead, now)
    page = signed_in(manager).post(ASSIGN, {"task": sent, "to": bob.pk, "step": "assign"})
    assert page.status_code == 409
    said = page.content.decode()
    assert "1 task given to Bob." in said
    assert "This task belongs to Lead by now." in said
    assert owners() == {"Ada": "Lead", "Bea": "Bob"}


def test_pressed_twice_it_is_done_once(signed_in, opened, manager, bob):
    task = opened(10, "Ada")
    client, sent = signed_in(manager), chosen(task)
    answers = [
        client.post(ASSIGN, {"task": sent, "to": bob.pk, "step": "assign"}).status_code
        for _ in range(2)
    ]
    assert answers == [302, 409]
    assert AuditEntry.objects.filter(verb="assign", actor=manager).count() == 1


def test_nobody_gives_what_they_do_not_see_or_to_whom_they_may_not(
    signed_in, opened, lead, bob, bobs_account
):
    bobs, mine = opened(10, "Ada", to=bobs_account), opened(20, "Bea")
    client = signed_in(lead)
    assert give(client, lead, bobs).url == LIST
    assert give(client, bob, mine).status_code == 422
    assert owners() == {"Ada": "Bob", "Bea": "Alice"}


def test_account_managers_choose_no_rows_and_give_none(signed_in, opened, alice, bob):
    task, client = opened(10, "Ada"), signed_in(alice)
    assert 'name="_selected_action"' not in queue(client, queue="open").content.decode()
    assert give(client, bob, task).status_code == 403
    assert owners() == {"Ada": "Alice"}


def test_nonsense_is_told_so(signed_in, manager):
    client = signed_in(manager)
    for sent in ([], ["x:y"], ["999:"], ["99999999999999999999:"]):
        assert client.post(ASSIGN, {"task": sent}).url == LIST
    assert client.get(ASSIGN).url == LIST


def test_a_task_is_taken_from_the_list(signed_in, opened, manager, bob, lead, now):
    task = opened(10, "Ada")
    reach_out.assign(task, None, manager, now)
    task.refresh_from_db()
    client = signed_in(lead)
    row = queue(client, queue="unassigned").content.decode()
    assert f'value="{task.pk}:"' in row
    page = client.post(TAKE, {"task": f"{task.pk}:", "back": "queue=unassigned"})
    assert page.url == f"{LIST}?queue=unassigned"
    assert owners() == {"Ada": "Lead"}


def test_who_takes_too_late_is_told_who_was_quicker(signed_in, opened, manager, lead, now):
    task = opened(10, "Ada")
    reach_out.assign(task, manager, manager, now)
    late = {"task": f"{task.pk}:{task.customer.account.owner_id}"}
    said = signed_in(lead).post(TAKE, late, follow=True).content.decode()
    assert "Ada: This task belongs to Manager by now." in said
    assert owners() == {"Ada": "Manager"}


def test_readers_take_nothing(signed_in, opened, auditor):
    task, client = opened(10, "Ada"), signed_in(auditor)
    assert 'voc-take"' not in queue(client, queue="open").content.decode().split("result_list")[1]
    assert client.post(TAKE, {"task": chosen(task)}).status_code == 403
