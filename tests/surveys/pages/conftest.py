import pytest
from django.utils import timezone

from surveys.loop import ask


@pytest.fixture
def invitation(nps, customer):
    return ask.invite(nps, [customer], "test:1", timezone.now())[0]


@pytest.fixture
def url(invitation):
    return f"/a/{invitation.token()}"
