"""What every page shares: the audit entries, the history, the way rows are named there."""

from django.contrib.admin.models import LogEntry
from django.urls import reverse

from surveys.admin.history import readable
from surveys.models import AuditEntry, Customer


def change(client, row, **data):
    noun = row._meta.model_name
    return client.post(reverse(f"admin:surveys_{noun}_change", args=[row.pk]), data)


def test_a_change_is_recorded_before_and_after(signed_in, manager, account, alice, bob):
    said = change(signed_in(manager), account, name=account.name, owner=bob.pk, segment="Retail",
                  revenue="10.5")  # fmt: skip
    assert said.status_code == 302
    entry = AuditEntry.objects.get()
    assert (entry.verb, entry.noun, entry.noun_id, entry.actor) == (
        "change", "account", account.pk, manager,
    )  # fmt: skip
    assert entry.before == {"owner": alice.pk, "segment": "Enterprise", "revenue": None}
    assert entry.after == {"owner": bob.pk, "segment": "Retail", "revenue": "10.5"}
    assert not LogEntry.objects.exists()


NO_PROPERTIES = {"properties-TOTAL_FORMS": 0, "properties-INITIAL_FORMS": 0}


def test_the_audit_of_a_customer_keeps_no_name_or_address(signed_in, manager, customer):
    change(signed_in(manager), customer, name="Ines O.", email="new@lakeside.example",
           account=customer.account_id, language="de", **NO_PROPERTIES)  # fmt: skip
    entry = AuditEntry.objects.get()
    assert entry.before == {"name": "(personal)", "email": "(personal)", "language": "en"}
    assert entry.after == {"name": "(personal)", "email": "(personal)", "language": "de"}
    assert Customer.objects.get().name == "Ines O."


def test_adding_and_deleting_are_recorded(signed_in, manager, nps):
    client = signed_in(manager)
    chosen = {"survey": nps.pk, "name": "Spring", "channel": "mail", "spread_days": 1}
    client.post(reverse("admin:surveys_wave_add"), chosen)
    wave = nps.waves.get()
    client.post(reverse("admin:surveys_wave_delete", args=[wave.pk]), {"post": "yes"})
    entries = AuditEntry.objects.order_by("pk")
    assert [(entry.verb, entry.noun_id) for entry in entries] == [
        ("add", wave.pk), ("delete", wave.pk),
    ]  # fmt: skip
    before = entries[1].before
    assert (before["name"], before["survey"], before["spread_days"]) == ("Spring", nps.pk, 1)


def test_the_history_names_people_instead_of_numbers(signed_in, manager, account, alice, bob):
    client = signed_in(manager)
    change(client, account, name=account.name, owner=bob.pk, segment=account.segment)
    said = client.get(reverse("admin:surveys_account_history", args=[account.pk]))
    [line] = said.context["lines"]
    assert line.changes == [("owner", "Alice", "Bob")]
    assert "<bdi>Alice</bdi> → <bdi>Bob</bdi>" in said.content.decode()


def test_a_long_history_costs_no_more_queries(
    manager, account, alice, bob, now, django_assert_num_queries
):
    for owner in (alice, bob, manager):
        AuditEntry.record("assign", account, now, after={"owner": owner.pk})
    with django_assert_num_queries(2):
        lines = readable(list(AuditEntry.objects.all()))
    assert [line.changes for line in lines] == [
        [("owner", "", "Manager")], [("owner", "", "Bob")], [("owner", "", "Alice")],
    ]  # fmt: skip


def test_a_colleague_who_is_gone_leaves_their_number(account, now):
    entry = AuditEntry.record("assign", account, now, after={"owner": 4711})
    assert readable([entry])[0].changes == [("owner", "", "4711")]


def test_the_audit_list_links_to_what_it_is_about(signed_in, manager, account, now):
    AuditEntry.record("change", account, now, actor=manager, reason="A merger.")
    said = signed_in(manager).get(reverse("admin:surveys_auditentry_changelist")).content.decode()
    assert f'href="/admin/surveys/account/{account.pk}/change/">account {account.pk}</a>' in said
    assert "A merger." in said
