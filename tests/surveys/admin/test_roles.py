"""What each role opens, as one table."""

import pytest
from django.contrib import admin
from django.urls import reverse

from surveys.models import Role

NOUNS = [
    "outreachtask", "response", "account", "customer", "survey", "invitation", "rootcause",
    "absence", "inboundmail", "mailtemplate", "wave", "brand", "family", "trigger", "event",
    "message", "suppression", "auditentry", "erasure", "user", "team", "apikey", "openlink",
    "escalationpolicy", "escalationrecipient", "chathook",
]  # fmt: skip
WORK = set(NOUNS[:10])
PROGRAM = WORK | {"wave", "brand", "family", "trigger", "event", "message", "suppression"}
PROGRAM |= {"auditentry", "erasure", "openlink", "team"}
ESCALATION = {"escalationpolicy", "escalationrecipient", "chathook"}
PROGRAM |= ESCALATION
EVIDENCE = ["outreachtask", "response", "invitation", "message", "event", "inboundmail",
            "auditentry", "erasure"]  # fmt: skip

SEES = {
    Role.ADMINISTRATOR: set(NOUNS),
    Role.PROGRAM_MANAGER: PROGRAM,
    Role.TEAM_LEAD: WORK,
    Role.ACCOUNT_MANAGER: WORK,
    Role.PRODUCT_TEAM: set(),
    Role.AUDITOR: set(NOUNS),
}
ADDS = {
    Role.ADMINISTRATOR: set(NOUNS) - set(EVIDENCE) - {"suppression"},
    Role.PROGRAM_MANAGER: {"account", "customer", "survey", "wave", "brand", "family", "trigger"}
    | {"rootcause", "absence", "openlink", "mailtemplate"}
    | ESCALATION,
    Role.TEAM_LEAD: {"absence"},
    Role.ACCOUNT_MANAGER: {"absence"},
    Role.PRODUCT_TEAM: set(),
    Role.AUDITOR: set(),
}


@pytest.fixture
def colleagues(administrator, manager, lead, alice, product, auditor):
    return {user.role: user for user in (administrator, manager, lead, alice, product, auditor)}


def opened(client, view) -> set[str]:
    pages = {noun: client.get(reverse(f"admin:surveys_{noun}_{view}")) for noun in NOUNS}
    assert {page.status_code for page in pages.values()} <= {200, 403}
    return {noun for noun, page in pages.items() if page.status_code == 200}


@pytest.mark.parametrize("role", Role.values)
def test_each_role_opens_its_lists_and_no_others(signed_in, colleagues, role):
    client = signed_in(colleagues[role])
    assert opened(client, "changelist") == SEES[role]
    assert opened(client, "add") == ADDS[role]


def test_the_table_names_every_page_of_the_admin():
    registered = {model._meta.model_name for model in admin.site._registry
                  if model._meta.app_label == "surveys"}  # fmt: skip
    assert registered == set(NOUNS)


@pytest.mark.parametrize("role", Role.values)
def test_the_sidebar_links_to_what_opens(signed_in, colleagues, role):
    client = signed_in(colleagues[role])
    page = client.get(reverse("admin:index"))
    links = [
        str(item["link"])
        for group in page.context["sidebar_navigation"]
        for item in group["items"]
        if item["has_permission"]
    ]
    assert {link: client.get(link).status_code for link in links} == dict.fromkeys(links, 200)


def test_the_product_team_sees_reports_and_no_names(signed_in, product, account):
    said = signed_in(product).get(reverse("admin:index")).content.decode()
    assert reverse("analysis:report") in said
    assert "Call next" not in said
    assert "Outreach tasks" not in said


@pytest.mark.parametrize("noun", EVIDENCE)
@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.PROGRAM_MANAGER])
def test_evidence_is_not_deleted_whoever_asks(signed_in, colleagues, noun, role):
    pages = admin.site._registry
    page = next(page for model, page in pages.items() if model._meta.model_name == noun)
    client = signed_in(colleagues[role])
    assert client.post(reverse(f"admin:surveys_{noun}_delete", args=[1])).status_code in (403, 404)
    assert not [name for name in page.actions or () if "delete" in name]


def test_a_stranger_is_sent_to_the_log_in(client, db):
    for noun in NOUNS:
        said = client.get(reverse(f"admin:surveys_{noun}_changelist"))
        assert (said.status_code, said.url.split("?")[0]) == (302, reverse("admin:login"))


def test_a_colleague_who_left_is_a_stranger(signed_in, alice):
    client = signed_in(alice)
    assert client.get(reverse("admin:index")).status_code == 200
    alice.is_active = False
    alice.save()
    assert client.get(reverse("admin:index")).status_code == 302
