"""A real mail server on loopback that can be told to misbehave."""

from __future__ import annotations

import pytest
from aiosmtpd.controller import Controller
from django.utils import timezone

from surveys.loop import ask
from surveys.models import Customer
from voc.embedded.ports import first_free


class MailServer:
    """Keeps what it accepts; `replies` holds the replies to the next recipients and bodies."""

    def __init__(self):
        self.kept: list[tuple[str, bytes]] = []
        self.at_rcpt: dict[str, str] = {}
        self.at_data: list[str] = []
        self.connections = 0

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_RCPT(self, server, session, envelope, address, options):
        if reply := self.at_rcpt.get(address):
            return reply
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        reply = self.at_data.pop(0) if self.at_data else "250 OK"
        if reply == "keep, then hang up":
            self.kept.append((envelope.rcpt_tos[0], envelope.content))
            server.transport.abort()
        elif reply.startswith("250"):
            self.kept.append((envelope.rcpt_tos[0], envelope.content))
        return reply

    @property
    def recipients(self) -> list[str]:
        return sorted(recipient for recipient, _ in self.kept)


@pytest.fixture
def mail_server(settings):
    server = MailServer()
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", first_free(18025)
    controller = Controller(server, hostname=settings.EMAIL_HOST, port=settings.EMAIL_PORT)
    controller.start()
    settings.EMAIL_TIMEOUT = 5
    yield server
    controller.stop()


@pytest.fixture
def customers(account):
    return [
        Customer.objects.create(account=account, name=f"Customer {i}", email=f"c{i}@mills.example")
        for i in range(3)
    ]


@pytest.fixture
def asked(nps, customers):
    """Three invitations in the outbox, due now."""
    return ask.invite(nps, customers, "test:1", timezone.now())
