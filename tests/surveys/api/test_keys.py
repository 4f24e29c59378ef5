"""Who gets in, with which key, and to what."""

from datetime import UTC, timedelta

import pytest
from django.urls import get_resolver
from django.utils import timezone

from surveys.api import keys
from surveys.models import ApiKey, AuditEntry
from tests.surveys.api.conftest import Caller, caller_for, said

pytestmark = pytest.mark.django_db

CUSTOMERS = "/api/v1/customers/"


def test_a_key_is_shown_once_and_kept_as_a_digest(manager, administrator, now):
    key, text = keys.issue("CRM sync", manager, ApiKey.Scope.READ, now, by=administrator)
    kind, prefix, secret = text.split("_", 2)
    assert (kind, prefix, len(secret)) == ("voc", key.prefix, 43)  # 43 base64 digits: 256 bits
    row = ApiKey.objects.values().get()
    assert bytes(row["digest"]) == keys.digest(text)
    assert secret not in str(row)
    entry = AuditEntry.objects.get(noun="apikey")
    assert (entry.verb, entry.actor, entry.noun_id) == ("issue", administrator, key.pk)
    assert secret not in str(entry.after)


def test_no_two_keys_are_alike(manager, now):
    texts = {keys.issue("n", manager, ApiKey.Scope.READ, now)[1] for _ in range(20)}
    assert len(texts) == 20


def test_a_good_key_opens(reader):
    assert reader.get(CUSTOMERS).json() == {"next": None, "previous": None, "results": []}


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer voc_00000000_nothing",
        "Bearer \x00",
        "Bearer ключ",
        "Bearer " + "x" * 10_000,
        "Basic dXNlcjpwYXNz",
    ],
)
def test_without_a_key_nothing_opens(client, header):
    headers = {} if header is None else {"HTTP_AUTHORIZATION": header}
    response = client.get(CUSTOMERS, **headers)
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith('Bearer realm="voc"')
    assert said(response)["code"] in {"not_authenticated", "authentication_failed"}


def test_a_session_is_no_key(client, administrator):
    client.force_login(administrator)
    assert client.get(CUSTOMERS).status_code == 401


def test_a_truncated_key_does_not_open(manager, now):
    text = keys.issue("n", manager, ApiKey.Scope.READ, now)[1]
    assert Caller(text).get(CUSTOMERS).status_code == 200
    assert Caller(text[:-1]).get(CUSTOMERS).status_code == 401
    assert Caller(text.swapcase()).get(CUSTOMERS).status_code == 401


def test_a_revoked_key_does_not_open(manager, administrator, now):
    key, text = keys.issue("n", manager, ApiKey.Scope.READ, now)
    keys.revoke(key, administrator, now)
    response = Caller(text).get(CUSTOMERS)
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == 'Bearer realm="voc", error="invalid_token"'
    assert said(response)["message"] == "This key was revoked."


def test_revoking_twice_is_revoking_once(manager, administrator, now):
    key, _ = keys.issue("n", manager, ApiKey.Scope.READ, now)
    keys.revoke(key, administrator, now)
    again = keys.revoke(key, administrator, now + timedelta(days=1))
    assert again.revoked_at == now
    assert AuditEntry.objects.filter(verb="revoke").count() == 1


def test_a_key_opens_until_it_expires(manager):
    now = timezone.now()
    _, good = keys.issue("n", manager, ApiKey.Scope.READ, now, now + timedelta(hours=1))
    _, old = keys.issue("n", manager, ApiKey.Scope.READ, now, now - timedelta(seconds=1))
    assert Caller(good).get(CUSTOMERS).status_code == 200
    response = Caller(old).get(CUSTOMERS)
    assert response.status_code == 401
    assert "expired" in said(response)["message"]


def test_a_key_goes_with_its_colleague(manager):
    caller = caller_for(manager)
    manager.is_active = False
    manager.save()
    assert caller.get(CUSTOMERS).status_code == 401


def test_use_is_remembered_at_most_once_a_minute(manager, django_assert_num_queries):
    now = timezone.now()
    key, text = keys.issue("n", manager, ApiKey.Scope.READ, now)
    Caller(text).get(CUSTOMERS)
    key.refresh_from_db()
    first = key.last_used_at
    assert first >= now
    with django_assert_num_queries(2):  # the key, the page
        Caller(text).get(CUSTOMERS)
    key.refresh_from_db()
    assert key.last_used_at == first
    before = first.astimezone(UTC) - timedelta(minutes=2)
    ApiKey.objects.update(last_used_at=before)
    Caller(text).get(CUSTOMERS)
    key.refresh_from_db()
    assert key.last_used_at > before + timedelta(minutes=1)


def test_a_reading_key_cannot_write(reader):
    response = reader.post(CUSTOMERS, {"email": "a@b.example"})
    assert response.status_code == 403
    assert "may only read" in said(response)["message"]


@pytest.mark.parametrize(
    ("role", "path", "status"),
    [
        ("administrator", "customers", 201),
        ("manager", "customers", 201),
        ("lead", "customers", 403),
        ("alice", "customers", 403),
        ("auditor", "customers", 403),
        ("product", "customers", 403),
    ],
)
def test_a_key_may_write_what_its_role_may(request, role, path, status):
    caller = caller_for(request.getfixturevalue(role))
    response = caller.post(f"/api/v1/{path}/", {"email": "new@lakeside.example"})
    assert response.status_code == status


@pytest.mark.parametrize(
    "noun",
    ["accounts", "customers", "surveys", "invitations", "responses", "tasks", "root-causes"],
)
def test_the_product_team_sees_no_rows_and_so_no_names(product, auditor, noun):
    assert caller_for(product).get(f"/api/v1/{noun}/").status_code == 403
    assert caller_for(auditor).get(f"/api/v1/{noun}/").status_code == 200


def test_every_view_says_what_it_needs():
    """A method without a permission would be forbidden to all; a view without any is a mistake."""
    views = [view for view in api_views() if hasattr(view, "queryset")]
    assert len(views) == 11
    for view in views:
        methods = {"create": "POST", "partial_update": "PATCH", "list": "GET", "retrieve": "GET"}
        offered = {method for name, method in methods.items() if hasattr(view, name)}
        assert set(view.needs) == offered, view
        for extra in view.get_extra_actions():
            assert set(extra.kwargs["needs"]) == {m.upper() for m in extra.mapping}


def api_views() -> set:
    [found] = [
        pattern.url_patterns
        for outer in get_resolver().url_patterns
        if str(outer.pattern) == "api/"
        for pattern in outer.url_patterns
        if str(pattern.pattern) == "v1/"
    ]
    return {pattern.callback.cls for pattern in found}


def test_too_many_requests_are_slowed_down_for_this_key_alone(manager, monkeypatch):
    monkeypatch.setattr(keys.KeyThrottle, "THROTTLE_RATES", {"key": "3/min"})
    busy, calm = caller_for(manager), caller_for(manager)
    assert [busy.get(CUSTOMERS).status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = busy.get(CUSTOMERS)
    assert said(refused)["code"] == "throttled"
    assert 0 < int(refused["Retry-After"]) <= 60
    assert calm.get(CUSTOMERS).status_code == 200
