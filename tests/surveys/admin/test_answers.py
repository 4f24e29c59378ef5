"""Invitations, answers, the outbox: read, and overruled with a reason."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from surveys.loop import answer
from surveys.models import AuditEntry, Message


def overrule(client, response, **data):
    return client.post(reverse("admin:surveys_response_overrule", args=[response.pk]), data)


def test_a_machines_answer_withdraws_its_task(signed_in, task, manager):
    overrule(signed_in(manager), task.response, verdict="machine", reason="All links clicked.")
    task.refresh_from_db()
    task.response.refresh_from_db()
    assert (task.response.verdict, task.state) == ("machine", "withdrawn")
    entry = AuditEntry.objects.get(verb="overrule")
    assert (entry.actor, entry.reason) == (manager, "All links clicked.")


def test_overruling_needs_a_reason(signed_in, task, manager):
    overrule(signed_in(manager), task.response, verdict="machine", reason="")
    task.response.refresh_from_db()
    assert task.response.verdict == "person"


@pytest.mark.parametrize(("who", "status"), [("alice", 403), ("auditor", 403), ("bob", 404)])
def test_who_may_not_overrule(signed_in, request, task, who, status):
    client = signed_in(request.getfixturevalue(who))
    said = overrule(client, task.response, verdict="machine", reason="I say so.")
    assert said.status_code == status
    task.response.refresh_from_db()
    assert task.response.verdict == "person"


def test_an_answer_cannot_be_typed_over(signed_in, task, administrator):
    address = reverse("admin:surveys_response_change", args=[task.response_id])
    said = signed_in(administrator).post(address, {"score": 10, "comment": "Lovely."})
    assert said.status_code == 403
    task.response.refresh_from_db()
    assert (task.response.score, task.response.comment) == (2, "It never came.")


def test_the_history_of_an_answer_shows_each_wish_and_the_reasons(signed_in, task, manager, now):
    answer.add(task.response, answer.More("", ["price", "speed"], "phone", "Not <b>early"), now)
    answer.add(task.response, answer.More("", ["speed"], "email"), now)
    address = reverse("admin:surveys_response_change", args=[task.response_id])
    page = signed_in(manager).get(address).content.decode()
    assert "By phone: “Not &lt;b&gt;early”" in page
    assert ["price" in page, "By e-mail" in page, "<b>early" in page] == [True, True, False]


def test_the_outbox_counts_by_state(signed_in, task, manager, now):
    Message.objects.filter(kind="invitation").update(state="in_doubt")
    outbox = reverse("admin:surveys_message_changelist")
    page = signed_in(manager).get(outbox, {"state": "in_doubt"})
    counts = {state: number for state, _, number in page.context["outbox_states"] if number}
    assert counts == {"in_doubt": 1, "queued": 1}
    assert page.context["cl"].result_count == 1
    assert "The others wait for you" in page.content.decode()


@pytest.mark.parametrize("noun", ["response", "invitation", "message", "customer", "auditentry"])
def test_three_rows_cost_as_many_queries_as_one(signed_in, opened, manager, noun):
    client, costs = signed_in(manager), []
    for number in (1, 2, 3):
        opened(number, f"Name{number} One")
        with CaptureQueriesContext(connection) as asked:
            page = client.get(reverse(f"admin:surveys_{noun}_changelist"))
        costs.append((page.context["cl"].result_count, len(asked)))
    assert costs[0][0] < costs[1][0] < costs[2][0]
    assert len({queries for _, queries in costs}) == 1


def test_the_first_page_points_at_mails_in_trouble(signed_in, task, manager, alice):
    Message.objects.filter(kind="invitation").update(state="failed", last_error="550 unknown")
    page = signed_in(manager).get(reverse("admin:index"))
    assert "1 mail could not be sent" in page.content.decode()
    assert "could not be sent" not in signed_in(alice).get(reverse("admin:index")).content.decode()


def test_the_first_page_says_how_to_begin(signed_in, manager, db):
    client = signed_in(manager)
    assert "Make the first survey" in client.get(reverse("admin:index")).content.decode()
