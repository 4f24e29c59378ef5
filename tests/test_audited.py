"""Whatever a person or the clock changes leaves an entry in the audit trail.

Three walks: over the sources of the verbs and of the doors, over every form of the admin, and over
every address of the API that writes. Each would see one that forgets, as its control shows.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from datetime import date, timedelta

import pytest
from django import forms
from django.apps import apps
from django.contrib import admin
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from surveys import models as nouns
from surveys.admin.base import ReadOnly
from surveys.api import keys
from surveys.loop import answer, ask
from surveys.models import AuditEntry
from surveys.models.audit import PERSONAL
from tests.surveys.api.conftest import Caller
from tests.test_architecture import sources

WRITES = {
    "save", "create", "update", "delete", "bulk_create", "bulk_update", "get_or_create",
    "update_or_create", "post", "post_many", "store",
}  # fmt: skip
RECORDS = {"record", "record_many", "_record", "log_change", "log_addition", "log_deletions"}

# Verbs that write and leave no entry, since what they write says itself what happened.
SAYS_IT_ITSELF = {
    "answer.press": "versions keep every press of a customer's",
    "answer.take": "versions keep every press of a customer's",
    "answer.add": "versions keep every press of a customer's",
    "answer_openly.press": "versions keep every press of a customer's",
    "ask.plan": "an invitation says who was asked, when and why not",
    "escalate.saw": "the task says when it was first opened",
    "expire.addresses": "lets go of what was kept for long enough",
    "expire.answers": "lets go of what was kept for long enough",
    "expire.expire": "lets go of what was kept for long enough",
    "expire.mails": "lets go of what was kept for long enough",
    "forget.empty": "part of forget.forget, which records",
    "forget_again.forget_again": "repeats by forget.forget, which records",
    "forget_again.note": "copies erasures into a file",
    "happen.ask_after_events": "an event says what became of it",
    "happen.happen": "an event says where it came from",
    "remind.remind": "a mail in the outbox says when it was queued",
    "reply.reply": "an incoming mail says when it came",
    "resume.settle_batch": "mails follow a change that is recorded",
    "seal.seal": "seals are about the entries",
    "silence.tell_owners": "a mail in the outbox says when it was queued",
    "staff.request_password_reset": "a mail in the outbox says when it was queued",
    "staff.welcome": "a mail in the outbox says when it was queued",
    "tell.digests": "a mail in the outbox says when it was queued",
    "tell.new_task": "a mail in the outbox says when it was queued",
    "waves.catch_up": "mails follow a change that is recorded",
    "waves.settle_batch": "mails follow a change that is recorded",
    "write.log_sent": "the contact that it logs is recorded",
}


def called(node: ast.AST) -> set[str]:
    """The last names of everything that is called in it."""
    calls = (each.func for each in ast.walk(node) if isinstance(each, ast.Call))
    return {getattr(each, "attr", "") or getattr(each, "id", "") for each in calls}


def verbs_without_entry(house: dict[str, str]) -> set[str]:
    """Public functions of surveys.loop that write, by themselves or by functions of their module,
    and do not record."""
    found = set()
    for module, source in house.items():
        if module.startswith("surveys.loop."):
            functions = {
                each.name: each
                for each in ast.parse(source).body
                if isinstance(each, ast.FunctionDef)
            }
            for name in functions:
                does = reached(name, functions)
                if not name.startswith("_") and does & WRITES and not does & RECORDS:
                    found.add(f"{module.removeprefix('surveys.loop.')}.{name}")
    return found


def reached(name: str, functions: dict[str, ast.FunctionDef]) -> set[str]:
    waiting, does = [name], set()
    for each in waiting:
        calls = called(functions[each])
        waiting += [call for call in calls & functions.keys() if call not in waiting]
        does |= calls
    return does


def test_every_verb_records_or_says_why_not():
    assert verbs_without_entry(sources()) == SAYS_IT_ITSELF.keys()


def test_a_verb_that_forgets_would_be_seen():
    """The control, also for one that writes by way of another function."""
    source = "def end(task):\n    _save(task)\ndef _save(task):\n    task.save()\n"
    assert verbs_without_entry({"surveys.loop.end": source}) == {"end.end"}
    recorded = source + "    AuditEntry.record('end', task, now)\n"
    assert verbs_without_entry({"surveys.loop.end": recorded}) == set()


# What a form of the admin is shown with: one row of each noun that has one.
def _rows(cast) -> dict[str, Callable]:
    survey, account, alice = cast["nps"], cast["account"], cast["alice"]
    today = date(2026, 3, 10)
    return {
        "account": lambda: account,
        "customer": lambda: cast["customer"],
        "survey": lambda: survey,
        "family": lambda: survey.family,
        "brand": lambda: nouns.Brand.objects.create(name="House"),
        "wave": lambda: nouns.Wave.objects.create(survey=survey, name="Spring"),
        "trigger": lambda: nouns.Trigger.objects.create(
            survey=survey, source="zendesk", happening="ticket.solved"
        ),
        "openlink": lambda: nouns.OpenLink.objects.create(survey=survey, name="Counter"),
        "rootcause": lambda: cast["root_cause"],
        "mailtemplate": lambda: nouns.MailTemplate.objects.create(
            name="Sorry", subject="Sorry, {name}", text="We are on it."
        ),
        "team": lambda: cast["team"],
        "user": lambda: alice,
        "absence": lambda: nouns.Absence.objects.create(
            user=alice, cover=cast["bob"], first_day=today, last_day=today
        ),
        "theme": lambda: apps.get_model("analysis", "Theme").objects.create(
            survey=survey, label="Late delivery", keywords=["late"], born_at=timezone.now()
        ),
        "escalationpolicy": lambda: nouns.EscalationPolicy.objects.create(name="Enterprise"),
        "escalationrecipient": lambda: nouns.EscalationRecipient.objects.create(
            tier=nouns.Tier.HEAD, name="Head", email="head@northwind.example"
        ),
        "chathook": lambda: nouns.ChatHook.objects.create(
            name="Room", url="https://chat.example/hook"
        ),
    }


# Pages that have no such form: each of their buttons calls one verb, and those are walked above.
OWN_PAGES = {"outreachtask", "apikey"}


def pages() -> list[str]:
    """Every noun that the admin lets somebody change."""
    changed = (m for m, page in admin.site._registry.items() if not isinstance(page, ReadOnly))
    return sorted({model._meta.model_name for model in changed} - OWN_PAGES)


@pytest.fixture
def cast(nps, account, customer, alice, bob, team, root_cause):
    return locals()


@pytest.fixture
def client(administrator):
    signed_in = Client()
    signed_in.force_login(administrator, backend="django.contrib.auth.backends.ModelBackend")
    return signed_in


def sent(form: forms.BaseForm) -> dict[str, object]:
    """What a browser sends of a form that nobody has touched."""
    data: dict[str, object] = {}
    for field in form:
        widget, value = getattr(field.field.widget, "widget", field.field.widget), field.value()
        if isinstance(widget, forms.CheckboxInput):
            data |= {field.html_name: "on"} if value else {}
        elif isinstance(widget, forms.MultiWidget):
            parts = zip(widget.widgets_names, widget.decompress(value), strict=True)
            data |= {field.html_name + name: part or "" for name, part in parts}
        elif isinstance(value, list | tuple):
            data[field.html_name] = [str(each) for each in value]
        else:
            shown = widget.format_value(value) if hasattr(widget, "format_value") else value
            shown = shown[0] if isinstance(shown, list) and shown else shown
            data[field.html_name] = "" if shown is None else shown
    return data


def everything_sent(page) -> dict[str, object]:
    data = sent(page.context["adminform"].form)
    for inline in page.context["inline_admin_formsets"]:
        data |= sent(inline.formset.management_form)
        for form in inline.formset.forms:
            data |= sent(form)
    return data


def changed(form: forms.BaseForm) -> dict[str, object]:
    """Another value for one of its fields."""
    for field in form:
        widget = getattr(field.field.widget, "widget", field.field.widget)
        if isinstance(field.field, forms.CharField) and field.name in ("name", "label"):
            return {field.html_name: f"{field.value()} B"}
        if field.name == "last_day":
            return {field.html_name: date(2026, 3, 12).isoformat()}
        if isinstance(field.field, forms.IntegerField) and not isinstance(widget, forms.Select):
            return {field.html_name: int(field.value() or 1) + 1}
    raise AssertionError(f"nothing to change in {form}")


@pytest.mark.parametrize("noun", pages())
def test_every_form_of_the_admin_leaves_an_entry(noun, cast, client, administrator):
    make = _rows(cast).get(noun)
    assert make, f"Give this test a row of {noun}, or say in OWN_PAGES why it has no form."
    row = make()
    address = reverse(f"admin:{row._meta.app_label}_{noun}_change", args=[row.pk])
    page = client.get(address)
    assert page.status_code == 200
    difference = changed(page.context["adminform"].form)
    said = client.post(address, everything_sent(page) | difference)
    assert said.status_code == 302, [
        page.errors for page in [said.context["adminform"].form, *said.context["formsets"]]
    ]
    entry = AuditEntry.objects.get(noun=noun, noun_id=row.pk, verb="change")
    assert entry.actor == administrator
    assert entry.before != entry.after or PERSONAL in entry.after.values()
    assert entry.before.keys() >= difference.keys()


@pytest.mark.parametrize("noun", [n for n in pages() if n not in OWN_PAGES])
def test_every_deletion_leaves_what_there_was(noun, cast, client):
    model = next(m for m in admin.site._registry if m._meta.model_name == noun)
    if not admin.site._registry[model].deletable:
        return
    row = nouns.Team.objects.create(name="East") if noun == "team" else _rows(cast)[noun]()
    address = reverse(f"admin:{row._meta.app_label}_{noun}_delete", args=[row.pk])
    assert client.post(address, {"post": "yes"}).status_code == 302
    entry = AuditEntry.objects.get(noun=noun, noun_id=row.pk, verb="delete")
    assert entry.before
    assert not model._default_manager.filter(pk=row.pk).exists()


def test_a_form_that_forgets_would_be_seen(cast, client, administrator, monkeypatch):
    """The control."""
    monkeypatch.setattr("surveys.admin.base.Admin._record", lambda *_: None)
    with pytest.raises(AuditEntry.DoesNotExist):
        test_every_form_of_the_admin_leaves_an_entry("account", cast, client, administrator)


# The queue's own addresses, which are of no one task: what to send, and the noun of the entry.
def _listed(cast) -> dict[str, tuple[Callable[[], dict], str]]:
    asked = ask.invite(cast["nps"], [cast["customer"]], "ticket:0", timezone.now())[0]
    task = answer.give(asked, 2, "Late.", timezone.now())[0].task
    owner = cast["account"].owner_id

    def of_the_view() -> dict:
        return {"view": nouns.SavedView.objects.get().pk}

    return {
        "take_listed": (lambda: {"task": f"{task.pk}:{owner}"}, "outreachtask"),
        "assign_many": (
            lambda: {"task": f"{task.pk}:{cast['by'].pk}", "to": owner, "step": "assign"},
            "outreachtask",
        ),
        "keep": (lambda: {"name": "Too late", "back": "queue=overdue"}, "savedview"),
        "let_go": (of_the_view, "savedview"),
    }


def listed_addresses() -> set[str]:
    """Names of the addresses below the queue that name no task."""
    own = admin.site._registry[nouns.OutreachTask].get_urls()
    names = {each.name for each in own if each.name and not each.pattern.converters}
    ours = {name.removeprefix("surveys_outreachtask_") for name in names}
    return ours - {"changelist", "add"}


def test_every_address_of_the_queue_leaves_an_entry(cast, client, administrator):
    sent = _listed(cast | {"by": administrator})
    assert sent.keys() == listed_addresses()
    for name, (data, noun) in sent.items():
        entries = AuditEntry.objects.filter(noun=noun, actor=administrator)
        before = entries.count()
        said = client.post(reverse(f"admin:surveys_outreachtask_{name}"), data())
        assert (said.status_code, entries.count()) == (302, before + 1), name


# The API: what to send to each address that writes, and the noun that its entry is about.
def _bodies(cast) -> dict[str, tuple[dict, str]]:
    survey, customer, now = cast["nps"], cast["customer"], timezone.now()
    invitation = ask.invite(survey, [customer], "ticket:0", now - timedelta(days=20))[0]
    unhappy = nouns.Customer.objects.create(email="sad@lakeside.example", account=cast["account"])
    asked = ask.invite(survey, [unhappy], "ticket:0", now)[0]
    task = answer.give(asked, 2, "Late.", now)[0].task
    nouns.OutreachTask.objects.update(first_contact_at=now)
    names = {"survey": {"id": survey.pk}, "customer": {"id": customer.pk}}
    fresh = nouns.Customer.objects.create(email="fresh@lakeside.example", account=cast["account"])
    gone = nouns.Customer.objects.create(email="gone@lakeside.example", account=cast["account"])
    return {
        "accounts/": ({"external_id": "9", "name": "New"}, "account"),
        f"accounts/{cast['account'].pk}/": ({"region": "North"}, "account"),
        "customers/": ({"external_id": "9", "name": "New"}, "customer"),
        f"customers/{customer.pk}/": ({"language": "de"}, "customer"),
        f"customers/{gone.pk}/forget/": ({"reason": "They asked for it."}, "customer"),
        "invitations/": ({**names, "occasion": "ticket:1"}, "invitation"),
        "links/": ({**names, "customer": {"id": fresh.pk}}, "invitation"),
        "responses/": ({"invitation": invitation.pk, "score": 9}, "response"),
        f"tasks/{task.pk}/contacts/": ({"channel": "phone", "outcome": "spoke"}, "outreachtask"),
        f"tasks/{task.pk}/close/": (
            {"root_cause": "Late delivery", "outcome": "improved", "action": "Called."},
            "outreachtask",
        ),
        "events/": (
            {
                "source": "shop", "external_id": "1", "happening": "order",
                "customer": {"email": "buyer@lakeside.example"}, "create_customer": True,
            },
            "customer",
        ),
    }  # fmt: skip


def writing_addresses() -> Iterator[tuple[str, str]]:
    """Method and route of everything under /api/v1/ that takes POST or PATCH."""
    for route, callback in _routes(get_resolver().url_patterns):
        for method, name in getattr(callback, "actions", {}).items():
            if route.startswith("api/v1/") and method in ("post", "patch", "put", "delete"):
                yield method, f"{callback.cls.__name__}.{name}"


def _routes(patterns, before: str = "") -> Iterator[tuple[str, Callable]]:
    for pattern in patterns:
        route = before + str(pattern.pattern).lstrip("^")
        if isinstance(pattern, URLResolver):
            yield from _routes(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            yield route, pattern.callback


def call_everything(cast, by) -> dict[str, int]:
    """By view: how many entries its call left."""
    api, left = Caller(keys.issue("CRM", by, "write", timezone.now())[1]), {}
    for path, (body, noun) in _bodies(cast).items():
        entries = AuditEntry.objects.filter(noun=noun, actor=by)
        before = entries.count()
        method = "patch" if path.rstrip("/").split("/")[-1].isdecimal() else "post"
        said = getattr(api, method)(f"/api/v1/{path}", body, format="json")
        assert said.status_code in (200, 201), (path, said.content)
        view = said.renderer_context["view"]
        left[f"{type(view).__name__}.{view.action}"] = entries.count() - before
    return left


def test_every_address_of_the_api_that_writes_leaves_an_entry(cast, administrator):
    left = call_everything(cast, administrator)
    assert left.keys() == {view for _, view in writing_addresses()}
    assert [view for view, entries in left.items() if not entries] == []


def test_an_address_that_forgets_would_be_seen(cast, administrator, monkeypatch):
    """The control."""
    monkeypatch.setattr("surveys.api.upsert.AuditEntry.record", lambda *_, **__: None)
    left = call_everything(cast, administrator)
    assert left["Accounts.create"] == left["Accounts.partial_update"] == 0
