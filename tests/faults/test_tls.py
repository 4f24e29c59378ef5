"""Fault 26: certificates. Mail goes over TLS to whom we know, and to nobody else."""

import socket
from datetime import timedelta

import environ
import pytest
from django.utils import timezone

from surveys.delivery import lanes, send, smtp
from surveys.loop import ask
from surveys.models import DeliveryEvent, MailLane, Message, Suppression
from tests.faults.sink import Sink
from tests.surveys.delivery.room import CERTIFICATE, HOST
from voc.embedded.ports import LOOPBACK

pytestmark = pytest.mark.django_db(transaction=True)
SCHEMES = ["smtp+tls", "smtp+ssl"]


@pytest.fixture(params=SCHEMES)
def server(request, settings, monkeypatch):
    """A mail server with a certificate for HOST; both ways of getting to TLS."""
    look_up = socket.getaddrinfo

    def looked_up(host, *arguments, **options):
        return look_up(LOOPBACK if host == HOST else host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", looked_up)
    with Sink(certificate=CERTIFICATE, over_tls=request.param == "smtp+ssl") as sink:
        url = f"{request.param}://{HOST}:{sink.port}"
        for name, value in environ.Env.email_url_config(url).items():
            setattr(settings, name, value)
        settings.EMAIL_TIMEOUT = 5
        yield sink


@pytest.fixture
def trusted(monkeypatch):
    """Our own idea of trust, on a machine whose authorities vouch for that certificate."""
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    smtp._trust.cache_clear()
    yield
    smtp._trust.cache_clear()


@pytest.fixture
def waiting(nps, customer):
    return ask.invite(nps, [customer], "test:1", timezone.now())


def test_a_mail_goes_over_tls_to_a_server_that_we_trust(server, trusted, waiting, customer):
    assert send.drain(timezone.now) == 1
    assert server.recipients == [customer.email]
    assert server.private == 1
    assert lanes.in_trouble() is None


def test_a_certificate_that_nobody_vouches_for_pauses_the_lane(server, waiting, administrator):
    the_lane_is_paused(server, administrator, "self-signed certificate")


def test_a_certificate_of_somebody_else_pauses_the_lane(
    server, trusted, waiting, administrator, settings
):
    settings.EMAIL_HOST = LOOPBACK
    the_lane_is_paused(server, administrator, "not valid for '127.0.0.1'")


def the_lane_is_paused(server, administrator, why: str) -> None:
    now = timezone.now()
    assert send.drain(lambda: now) == 0
    assert server.kept == []
    assert MailLane.objects.get().paused_until == now + timedelta(seconds=30)
    assert why in MailLane.objects.get().reason
    assert Message.objects.get(kind="alarm").user == administrator
    invitation = Message.objects.get(kind="invitation")
    assert (invitation.state, invitation.attempts) == ("queued", 0)
    assert not Suppression.objects.exists()
    assert not DeliveryEvent.objects.exists()
