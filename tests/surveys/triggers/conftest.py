"""A client that calls as the systems do: raw bodies, and headers that prove who sends them."""

import base64
import hashlib
import hmac
import json

import pytest
from django.test import Client

from surveys.models import Trigger

SECRET = "made up for these tests"


@pytest.fixture(autouse=True)
def _secrets(settings):
    settings.HOOK_SECRETS = dict.fromkeys(
        ["zendesk", "freshdesk", "salesforce", "intercom"], SECRET
    )


@pytest.fixture
def trigger(nps):
    """Asks about what every system calls the end of something."""
    ends = {
        "zendesk": "ticket.solved",
        "freshdesk": "ticket.resolved",
        "salesforce": "case.closed",
        "intercom": "conversation.admin.closed",
    }
    for source, happening in ends.items():
        Trigger.objects.create(survey=nps, source=source, happening=happening)
    return Trigger.objects


def tell(name: str, payload: dict | bytes, headers: dict):
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return Client(headers=headers).post(f"/hooks/{name}/", body, content_type="application/json")


def zendesk_headers(body: bytes, at: str, secret: str = SECRET) -> dict:
    mac = hmac.digest(secret.encode(), at.encode() + body, hashlib.sha256)
    return {
        "X-Zendesk-Webhook-Signature": base64.b64encode(mac).decode(),
        "X-Zendesk-Webhook-Signature-Timestamp": at,
    }


def intercom_headers(body: bytes, secret: str = SECRET) -> dict:
    mac = hmac.new(secret.encode(), body, hashlib.sha1)
    return {"X-Hub-Signature": f"sha1={mac.hexdigest()}"}


def basic(password: str) -> dict:
    return {"Authorization": "Basic " + base64.b64encode(f"voc:{password}".encode()).decode()}
