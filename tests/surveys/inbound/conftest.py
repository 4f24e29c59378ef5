import pytest

from surveys.delivery import claim
from surveys.loop import ask
from surveys.models import Message


@pytest.fixture
def invitation(nps, customer, now):
    """One that was sent to Ines."""
    invited = ask.invite(nps, [customer], "test:1", now)[0]
    message = Message.objects.get(invitation=invited)
    message.message_id = claim.message_id(message)
    message.state, message.handed_at, message.sent_at = "sent", now, now
    message.save()
    return invited


@pytest.fixture
def message(invitation):
    return Message.objects.get(invitation=invitation)


@pytest.fixture
def _bounce_address(settings):
    settings.BOUNCE_ADDRESS = "bounces@northwind.example"
