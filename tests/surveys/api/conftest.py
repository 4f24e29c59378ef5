"""Keys for the cast, and an answer with its task."""

import json

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from surveys.api import keys
from surveys.loop import answer, ask
from surveys.models import Account, ApiKey, Customer


class Caller(APIClient):
    """A client that holds a key and reads JSON."""

    def __init__(self, text: str):
        super().__init__(raise_request_exception=True)
        self.credentials(HTTP_AUTHORIZATION=f"Bearer {text}")

    def raw(self, method: str, path: str, body: bytes, content_type: str = "application/json"):
        return self.generic(method, path, body, content_type=content_type)


def caller_for(user, scope=ApiKey.Scope.WRITE) -> Caller:
    return Caller(keys.issue("CRM sync", user, scope, timezone.now())[1])


@pytest.fixture
def writer(manager):
    """A program manager's key that may write."""
    return caller_for(manager)


@pytest.fixture
def reader(manager):
    return caller_for(manager, ApiKey.Scope.READ)


@pytest.fixture
def task(nps, customer, now):
    return unhappy(nps, customer, now)


def unhappy(survey, customer, now, occasion="ticket:1", score=2):
    """The task that follows a detractor's answer."""
    [invitation] = ask.invite(survey, [customer], occasion, now)
    response, _ = answer.give(invitation, score, "Two weeks late, and nobody told us.", now)
    return response.task


@pytest.fixture
def more_tasks(nps, account, now):
    """Two more customers of the account, each with a task."""

    def make():
        for number in (2, 3):
            someone = Customer.objects.create(
                account=Account.objects.create(name=f"Account {number}", owner=account.owner),
                name=f"Customer {number}",
                email=f"c{number}@lakeside.example",
            )
            unhappy(nps, someone, now)

    return make


def said(response) -> dict:
    """The refusal, which has one shape."""
    body = json.loads(response.content)
    assert set(body) == {"error"}
    assert set(body["error"]) <= {"code", "message", "fields"}
    assert body["error"]["message"]
    return body["error"]
