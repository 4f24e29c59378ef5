import pytest
from django.urls import reverse

PAGES = ["report", "closure-csv", "scores-csv", "themes", "themes-csv"]


@pytest.mark.parametrize("page", PAGES)
def test_strangers_are_sent_to_the_log_in_and_come_back(page, db, client):
    address = reverse(f"analysis:{page}") + "?month=2026-03"
    response = client.get(address)
    assert response.status_code == 302
    assert response.url.startswith(reverse("admin:login") + "?next=")
    assert "month%3D2026-03" in response.url


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(
    "role", ["alice", "lead", "manager", "administrator", "auditor", "product"]
)
def test_every_role_reads_the_reports(page, role, request, client):
    client.force_login(request.getfixturevalue(role))
    assert client.get(reverse(f"analysis:{page}")).status_code == 200


@pytest.mark.parametrize("page", PAGES)
def test_who_holds_no_permission_is_told_so(page, alice, client, monkeypatch):
    client.force_login(alice)
    monkeypatch.setattr(
        "surveys.models.staff.grants", lambda role, perm: perm != "analysis.view_report"
    )
    response = client.get(reverse(f"analysis:{page}"))
    assert response.status_code == 403
    assert "You may not open this page" in response.text


def test_a_colleague_who_left_is_a_stranger(alice, client):
    client.force_login(alice)
    alice.is_active = False
    alice.save()
    assert client.get(reverse("analysis:report")).status_code == 302


def test_reports_are_only_read(manager, client):
    client.force_login(manager)
    assert client.post(reverse("analysis:report")).status_code == 405


def test_the_page_stands_in_the_frame_of_the_admin(manager, client):
    client.force_login(manager)
    page = client.get(reverse("analysis:report")).text
    assert 'id="nav-sidebar"' in page
    assert "analysis/report.css" in page
