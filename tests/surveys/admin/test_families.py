"""Families of surveys: how long nobody is asked twice."""

import pytest
from django.urls import reverse

from surveys.models import AuditEntry, Family, Survey

LIST = reverse("admin:surveys_family_changelist")


def test_a_family_says_its_throttle_and_its_surveys(signed_in, manager, nps):
    Survey.objects.create(name="Second", family=nps.family)
    Family.objects.create(name="Support", throttle_days=0)
    page = signed_in(manager).get(LIST)
    rows = [(row.name, row.throttle_days, row.surveys_count) for row in page.context["cl"].queryset]
    assert rows == [("Relationship", 30, 2), ("Support", 0, 0)]
    assert "30 days" in page.content.decode()
    assert "24 hours" in page.content.decode()


def test_a_program_manager_sets_the_throttle(signed_in, manager, nps):
    change = reverse("admin:surveys_family_change", args=[nps.family_id])
    signed_in(manager).post(change, {"name": "Relationship", "throttle_days": 90})
    nps.family.refresh_from_db()
    assert nps.family.throttle_days == 90
    entry = AuditEntry.objects.get(noun="family")
    assert (entry.before, entry.after) == ({"throttle_days": 30}, {"throttle_days": 90})


@pytest.mark.parametrize(("who", "status"), [("alice", 403), ("product", 403), ("auditor", 200)])
def test_families_belong_to_those_who_plan(signed_in, request, who, status, nps):
    assert signed_in(request.getfixturevalue(who)).get(LIST).status_code == status
