from datetime import timedelta

import pytest
from django.contrib import admin
from django.urls import reverse
from django.utils import timezone

from surveys.api.keys import digest
from surveys.models import Absence, ApiKey, AuditEntry, Message, RootCause, User


def add(client, noun, **data):
    return client.post(reverse(f"admin:surveys_{noun}_add"), data)


def test_adding_a_colleague_invites_them(signed_in, administrator, team):
    said = add(
        signed_in(administrator), "user", name="Nia Novak", email="Nia@Northwind.example",
        role="account_manager", team=team.pk,
    )  # fmt: skip
    assert said.status_code == 302
    nia = User.objects.get(email="nia@northwind.example")
    assert (nia.team, nia.is_active, nia.has_usable_password()) == (team, True, False)
    assert Message.objects.get(kind="welcome").user == nia
    assert [entry.verb for entry in AuditEntry.objects.all()] == ["invite"]


@pytest.mark.parametrize("address", ["alice@northwind.example", "ALICE@northwind.example"])
def test_an_address_that_is_taken_is_refused_in_the_form(signed_in, administrator, alice, address):
    said = add(signed_in(administrator), "user", name="A", email=address, role="auditor")
    assert said.status_code == 200
    assert "already exists" in said.content.decode()


def test_a_lost_welcome_is_mailed_again(signed_in, administrator, alice, manager):
    address = reverse("admin:surveys_user_welcome", args=[alice.pk])
    assert signed_in(manager).post(address).status_code == 403
    signed_in(administrator).post(address)
    assert Message.objects.get(kind="welcome").user == alice


def test_a_key_is_shown_once(signed_in, administrator, alice):
    client = signed_in(administrator)
    said = add(client, "apikey", name="CRM sync", scope="read", user=alice.pk)
    assert "no-store" in said["Cache-Control"]
    key = ApiKey.objects.get()
    text = said.context["key"].text
    assert text in said.content.decode()
    assert bytes(key.digest) == digest(text)
    for address in ("changelist", "change"):
        args = [key.pk] if address == "change" else []
        page = client.get(reverse(f"admin:surveys_apikey_{address}", args=args))
        assert text not in page.content.decode()
    assert [entry.verb for entry in AuditEntry.objects.all()] == ["issue"]


def test_a_key_is_revoked_and_stays_so(signed_in, administrator, auditor, alice):
    add(signed_in(administrator), "apikey", name="CRM sync", scope="read", user=alice.pk)
    key = ApiKey.objects.get()
    address = reverse("admin:surveys_apikey_revoke", args=[key.pk])
    assert signed_in(auditor).post(address).status_code == 403
    signed_in(administrator).post(address)
    key.refresh_from_db()
    assert key.revoked_at is not None


def test_an_account_manager_keeps_their_own_absences(signed_in, alice, bob, lead):
    today = timezone.localdate()
    days = {"first_day": today, "last_day": today + timedelta(days=6)}
    own = Absence.objects.create(user=alice, cover=lead, **days)
    covered = Absence.objects.create(user=lead, cover=alice, **days)
    client = signed_in(alice)
    listed = client.get(reverse("admin:surveys_absence_changelist")).context["cl"].result_list
    assert {absence.pk for absence in listed} == {own.pk, covered.pk}
    seen = {}
    for absence in (own, covered):
        address = reverse("admin:surveys_absence_delete", args=[absence.pk])
        seen[absence.pk] = client.post(address, {"post": "yes"}).status_code
    assert seen == {own.pk: 302, covered.pk: 403}
    assert list(Absence.objects.all()) == [covered]
    listed = signed_in(bob).get(reverse("admin:surveys_absence_changelist")).context["cl"]
    assert listed.result_count == 0


def test_root_causes_have_two_levels(signed_in, manager, root_cause):
    client = signed_in(manager)
    add(client, "rootcause", name="Courier", parent=root_cause.pk, is_active="on")
    child = RootCause.objects.get(name="Courier")
    assert str(child) == "Late delivery: Courier"
    said = add(client, "rootcause", name="Van", parent=child.pk, is_active="on")
    assert "Select a valid choice" in said.content.decode()


def test_a_key_says_when_it_opens_nothing_any_more(administrator, now):
    page = admin.site.get_model_admin(ApiKey)
    hour = timedelta(hours=1)
    keys = [ApiKey(), ApiKey(expires_at=now + hour), ApiKey(expires_at=now - hour),
            ApiKey(revoked_at=now)]  # fmt: skip
    assert [page.state(key) for key in keys] == ["In use", "In use", "Expired", "Revoked"]


def test_administrators_keep_their_own_role(signed_in, administrator, alice):
    client = signed_in(administrator)
    for user in (administrator, alice):
        address = reverse("admin:surveys_user_change", args=[user.pk])
        said = client.post(address, {"name": "New", "email": user.email, "role": "auditor"})
        assert said.status_code == 302
        user.refresh_from_db()
    assert (administrator.name, administrator.role, administrator.is_active) == (
        "New", "administrator", True,
    )  # fmt: skip
    assert (alice.name, alice.role, alice.is_active) == ("New", "auditor", False)
