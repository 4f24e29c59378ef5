"""The audit trail as auditors read it and take it along."""

import csv
import io
import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from surveys.admin import history
from surveys.admin.history import WORDS, readable
from surveys.loop import seal
from surveys.loop.forget import forget
from surveys.models import AuditEntry, AuditSeal

LIST = "admin:surveys_auditentry_changelist"


@pytest.fixture
def entries(account, customer, manager, alice, bob, now):
    """Three entries of three kinds."""
    return [
        AuditEntry.record(
            "change", account, now, actor=manager,
            before={"owner": alice.pk}, after={"owner": bob.pk}, reason="=1+1",
        ),
        AuditEntry.record("merge", customer, now - timedelta(days=20), actor=alice),
        AuditEntry.record("suppress", customer, now - timedelta(days=100)),
    ]  # fmt: skip


def listed(client, **query) -> list[int]:
    page = client.get(reverse(LIST), query)
    return [entry.pk for entry in page.context["cl"].result_list]


def download(client, form: str, **query):
    query = "&".join(f"{name}={value}" for name, value in query.items())
    address = reverse("admin:surveys_auditentry_export", args=[form])
    return client.post(f"{address}?{query}")


def body(response) -> str:
    return b"".join(response.streaming_content).decode("utf-8-sig")


def test_the_list_is_filtered_and_searched(signed_in, auditor, entries, alice):
    client, (change, merge, suppress) = signed_in(auditor), [entry.pk for entry in entries]
    assert listed(client) == [suppress, merge, change]
    assert listed(client, verb="merge") == [merge]
    assert listed(client, noun="account") == [change]
    assert listed(client, actor=alice.pk) == [merge]
    assert listed(client, actor="-") == [suppress]
    assert listed(client, days="31") == [merge, change]
    assert listed(client, days="1", noun="customer") == []
    assert listed(client, q="=1+1") == [change]


def test_it_says_what_changed_by_name(signed_in, auditor, entries):
    said = signed_in(auditor).get(reverse(LIST)).content.decode()
    assert "owner: Alice → Bob" in said
    assert "Manager" in said
    assert "A customer or the clock" in said


def test_three_entries_cost_as_many_queries_as_one(signed_in, auditor, account, alice, bob, now):
    client, counts = signed_in(auditor), []
    for owner in (alice, bob, auditor):
        AuditEntry.record("assign", account, now, actor=owner, after={"owner": owner.pk})
        with CaptureQueriesContext(connection) as queries:
            client.get(reverse(LIST))
        counts.append(len(queries))
    assert len(set(counts)) == 1


def test_an_entry_shows_its_seal(signed_in, auditor, entries):
    client = signed_in(auditor)
    address = reverse("admin:surveys_auditentry_change", args=[entries[0].pk])
    assert "Waits for the sweep" in client.get(address).content.decode()
    seal.seal()
    assert str(AuditSeal.objects.get(entry=entries[0].pk)) in client.get(address).content.decode()


def test_the_csv_holds_what_the_list_shows_and_runs_no_formula(signed_in, auditor, entries, bob):
    seal.seal()
    said = download(signed_in(auditor), "csv", noun="account")
    assert said["Content-Disposition"] == 'attachment; filename="audit.csv"'
    [row] = csv.DictReader(io.StringIO(body(said)))
    assert (row["id"], row["verb"], row["actor"]) == (
        str(entries[0].pk), "change", "manager@northwind.example",
    )  # fmt: skip
    assert (row["reason"], json.loads(row["after"])) == ("'=1+1", {"owner": bob.pk})
    assert row["seal"] == str(AuditSeal.objects.get(entry=entries[0].pk))


def test_the_json_holds_every_entry(signed_in, auditor, entries, customer, now, monkeypatch):
    monkeypatch.setattr("surveys.admin.audit.BATCH", 2)
    forget(customer, None, "", now)
    rows = json.loads(body(download(signed_in(auditor), "json")))
    assert [row["id"] for row in rows[:3]] == [entry.pk for entry in entries]
    assert [row["erased"] for row in rows[:3]] == [False, True, True]
    assert rows[0]["before"] == entries[0].before
    assert {row["seal"] for row in rows} == {None}


def test_an_empty_export_is_a_file_too(signed_in, auditor):
    assert json.loads(body(download(signed_in(auditor), "json"))) == []
    assert body(download(signed_in(auditor), "csv", verb="merge")).count("\n") == 1


def test_an_export_is_recorded_itself(signed_in, auditor, entries):
    download(signed_in(auditor), "csv", noun="account")
    entry = AuditEntry.objects.get(verb="export")
    assert (entry.actor, entry.noun, entry.noun_id) == (auditor, "auditentry", entries[2].pk)
    assert entry.after == {"filters": {"noun": "account"}, "format": "csv"}


def test_what_comes_in_meanwhile_is_not_in_it(signed_in, auditor, entries, account, now):
    said = download(signed_in(auditor), "json")
    AuditEntry.record("change", account, now)
    assert len(json.loads(body(said))) == 3


@pytest.mark.parametrize(("who", "status"), [("auditor", 200), ("manager", 200), ("lead", 403),
                                             ("alice", 403), ("product", 403)])  # fmt: skip
def test_who_may_take_it_along(request, signed_in, entries, who, status):
    said = download(signed_in(request.getfixturevalue(who)), "csv")
    assert said.status_code == status
    assert AuditEntry.objects.filter(verb="export").exists() == (status == 200)


def test_looking_at_the_address_exports_nothing(signed_in, auditor, entries):
    client = signed_in(auditor)
    address = reverse("admin:surveys_auditentry_export", args=["csv"])
    assert client.get(address).status_code == 405
    assert client.post(address.replace("csv", "xml")).status_code == 404
    assert not AuditEntry.objects.filter(verb="export").exists()


def test_a_sentence_says_who_did_what(entries):
    assert [line.sentence for line in readable(entries)] == [
        "Manager changed the account",
        "Alice merged the customer",
        "A customer or the clock stopped the mails to the customer",
    ]


def test_choices_are_shown_in_their_words(task, alice, now):
    after = {"outcome": "no_answer", "channel": "phone", "state": "closed", "signs": ["a", 1]}
    [line] = readable([AuditEntry.record("contact", task, now, actor=alice, after=after)])
    assert [said for _, _, said in line.changes] == ["No answer", "Phone", "Closed", "a, 1"]


def test_every_verb_has_its_words(entries):
    assert all(text == text.strip().lower() or "API" in text for text in WORDS.values())
    assert history.words("something new") == "did “something new” to"


def test_moments_are_told_in_the_readers_time(customer, now):
    after = {"until": "2026-03-10T09:00:00.5+00:00", "name": "2026-99-10T09:00:00+00:00",
             "first": "0001-01-01T00:00:00+00:00"}  # fmt: skip
    entry = AuditEntry.record("snooze", customer, now, after=after)
    with timezone.override("Asia/Tokyo"):
        (line,) = readable([entry])
    assert [after for _, _, after in line.changes] == [
        "March 10, 2026, 6 p.m.",
        "2026-99-10T09:00:00+00:00",
        "Jan. 1, 0001, 9:18 a.m.",
    ]
