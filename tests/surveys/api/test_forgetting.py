"""A CRM that has deleted a customer tells us to forget them as well."""

import pytest

from surveys.models import ApiKey, Customer, Erasure, Response
from tests.surveys.api.conftest import caller_for, said


@pytest.fixture
def eraser(administrator):
    """An administrator's key that may write."""
    return caller_for(administrator)


def forget(caller, customer, **body):
    return caller.post(f"/api/v1/customers/{customer.pk}/forget/", body or {"reason": "Case 4711"})


def test_it_forgets(eraser, task, customer, administrator):
    done = forget(eraser, customer)
    erasure = Erasure.objects.get()
    assert (done.status_code, done.json()["id"]) == (200, erasure.pk)
    assert done.json()["reason"] == erasure.reason == "Case 4711"
    assert (erasure.by, erasure.cause) == (administrator, "colleague")
    assert (Response.objects.get().comment, Customer.objects.get().name) == ("", "")


def test_afterwards_there_is_no_such_customer(eraser, task, customer):
    forget(eraser, customer)
    assert forget(eraser, customer).status_code == 404
    assert eraser.get(f"/api/v1/customers/{customer.pk}/").status_code == 404
    assert eraser.get("/api/v1/customers/").json()["results"] == []
    assert eraser.get("/api/v1/tasks/").json()["results"][0]["customer"]["name"] == ""


@pytest.mark.parametrize("role", ["manager", "alice", "auditor"])
def test_only_an_administrators_key_forgets(request, customer, role):
    caller = caller_for(request.getfixturevalue(role))
    assert forget(caller, customer).status_code == 403
    assert not Erasure.objects.exists()


def test_a_reading_key_does_not(administrator, customer):
    caller = caller_for(administrator, ApiKey.Scope.READ)
    assert forget(caller, customer).status_code == 403


@pytest.mark.parametrize("body", [{"reason": ""}, {"reason": "x" * 201}, {"why": "x"}])
def test_a_reason_is_needed(eraser, customer, body):
    refused = forget(eraser, customer, **body)
    assert refused.status_code == 400
    assert set(said(refused)["fields"]) <= {"reason", "why"}
    assert not Erasure.objects.exists()
