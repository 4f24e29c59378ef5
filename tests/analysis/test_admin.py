import pytest
from django.urls import reverse

from analysis.models import Theme
from surveys.models import AuditEntry, Kind
from tests.analysis.rows import at
from tests.conftest import survey_of

BORN = at("2026-03-05 09:00")


@pytest.fixture
def theme(nps):
    return Theme.objects.create(survey=nps, label="Van late", keywords=["van"], born_at=BORN)


def rename(client, theme, label):
    return client.post(reverse("admin:analysis_theme_change", args=[theme.pk]), {"label": label})


def label_of(theme) -> str:
    return Theme.objects.values_list("label", flat=True).get(pk=theme.pk)


@pytest.mark.parametrize("role", ["manager", "administrator"])
def test_who_may_change_themes_renames_one_and_it_is_audited(role, theme, request, client):
    client.force_login(request.getfixturevalue(role))
    assert rename(client, theme, "Deliveries come late").status_code == 302
    assert label_of(theme) == "Deliveries come late"
    entry = AuditEntry.objects.get(noun="theme", noun_id=theme.pk)
    assert (entry.before, entry.after) == (
        {"label": "Van late"},
        {"label": "Deliveries come late"},
    )


@pytest.mark.parametrize("role", ["product", "alice", "lead", "auditor"])
def test_everyone_else_reads_them(role, theme, request, client):
    client.force_login(request.getfixturevalue(role))
    assert "Van late" in client.get(reverse("admin:analysis_theme_changelist")).text
    assert rename(client, theme, "Mine").status_code == 403
    assert label_of(theme) == "Van late"


def test_two_living_themes_of_a_survey_cannot_share_a_name(theme, nps, manager, client):
    client.force_login(manager)
    Theme.objects.create(survey=nps, label="Rude", born_at=BORN)
    refused = rename(client, theme, "rude")
    assert "Another theme of this survey has this label already." in refused.text
    assert label_of(theme) == "Van late"


def test_a_retired_or_foreign_theme_may_have_the_same_name(theme, nps, manager, client):
    client.force_login(manager)
    Theme.objects.create(survey=nps, label="Rude", born_at=BORN, retired_at=BORN)
    other = survey_of(Kind.CSAT, name="Other")
    Theme.objects.create(survey=other, label="Rude", born_at=BORN)
    assert rename(client, theme, "Rude").status_code == 302
    assert label_of(theme) == "Rude"


def test_nobody_adds_or_deletes_a_theme(theme, administrator, client):
    client.force_login(administrator)
    assert client.get(reverse("admin:analysis_theme_add")).status_code == 403
    delete = reverse("admin:analysis_theme_delete", args=[theme.pk])
    assert client.post(delete, {"post": "yes"}).status_code == 403
    assert label_of(theme) == "Van late"


@pytest.mark.parametrize("rows", [1, 3])
def test_the_lists_queries_do_not_grow(rows, nps, manager, client, django_assert_num_queries):
    for number in range(rows):
        Theme.objects.create(survey=nps, label=f"Theme {number}", born_at=BORN)
    client.force_login(manager)
    with django_assert_num_queries(7):
        client.get(reverse("admin:analysis_theme_changelist"))
