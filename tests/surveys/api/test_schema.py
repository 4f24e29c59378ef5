"""What is written about the API, and that it is true."""

import io

import pytest
import yaml
from django.core.management import call_command

SCHEMA, DOCS = "/api/schema/", "/api/docs/"


@pytest.fixture(scope="module")
def schema() -> dict:
    out = io.StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=out)
    return yaml.safe_load(out.getvalue())


def test_the_schema_is_valid_and_complete(schema):
    paths = {path.removeprefix("/api/v1/"): set(ops) for path, ops in schema["paths"].items()}
    assert paths == {
        "accounts/": {"get", "post"},
        "accounts/{id}/": {"get", "patch"},
        "customers/": {"get", "post"},
        "customers/{id}/": {"get", "patch"},
        "customers/{id}/forget/": {"post"},
        "surveys/": {"get"},
        "surveys/{id}/": {"get"},
        "waves/": {"get"},
        "waves/{id}/": {"get"},
        "invitations/": {"get", "post"},
        "invitations/{id}/": {"get"},
        "links/": {"post"},
        "open-links/": {"get"},
        "open-links/{id}/": {"get"},
        "events/": {"get", "post"},
        "events/{id}/": {"get"},
        "responses/": {"get", "post"},
        "responses/{id}/": {"get"},
        "tasks/": {"get"},
        "tasks/{id}/": {"get"},
        "tasks/{id}/contacts/": {"post"},
        "tasks/{id}/close/": {"post"},
        "root-causes/": {"get"},
        "report/": {"get"},
    }


def test_every_operation_takes_a_key_and_can_be_refused(schema):
    scheme = schema["components"]["securitySchemes"]["key"]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    for operations in schema["paths"].values():
        for operation in operations.values():
            assert operation["security"] == [{"key": []}]
            assert "4XX" in operation["responses"]
            assert operation["description"]


def test_nothing_secret_is_a_field(schema):
    fields = {
        name
        for part in schema["components"]["schemas"].values()
        for name in part.get("properties", {})
    }
    assert {"due_at", "link"} <= fields
    assert not {"seed", "digest", "answer_digest", "password", "token"} & fields


def test_filters_are_described(schema):
    parameters = schema["paths"]["/api/v1/tasks/"]["get"]["parameters"]
    by_name = {parameter["name"]: parameter["schema"] for parameter in parameters}
    assert set(by_name) == {"state", "owner", "overdue", "product", "cursor", "page_size"}
    assert by_name["overdue"] == {"type": "boolean"}
    assert set(by_name["state"]["enum"]) == {"open", "closed", "withdrawn", "forgotten"}


@pytest.mark.django_db
def test_schema_and_pages_are_open_and_keep_to_our_own_origin(client):
    assert client.get(SCHEMA).status_code == 200
    page = client.get(DOCS)
    assert page.status_code == 200
    assert b"http://" not in page.content.replace(b"http://testserver", b"")
    assert b"https://" not in page.content
    assert "'unsafe-inline'" not in script_policy(page)


def script_policy(page) -> str:
    directives = page["Content-Security-Policy"].split(";")
    [script] = [part for part in directives if part.strip().startswith("script-src")]
    return script


@pytest.mark.django_db
def test_the_pages_hold_no_inline_script(client):
    body = client.get(DOCS).content.decode()
    scripts = [part.split("</script>")[0] for part in body.split("<script")[1:]]
    assert len(scripts) == 4
    assert all(script.startswith(" src=") and script.endswith('">') for script in scripts)


def test_how_far_a_task_went_is_read_only(schema):
    fields = schema["components"]["schemas"]["Task"]["properties"]
    for name in ("level", "seen_at", "snoozed_until", "second_due_at", "due_at", "owner"):
        assert fields[name]["readOnly"] is True
    assert "4 to the executive" in fields["level"]["description"]
