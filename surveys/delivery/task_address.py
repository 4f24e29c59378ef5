"""The address of a task: what is sent to it, or with it in BCC, is logged with the task."""

from __future__ import annotations

from django.conf import settings

from surveys.delivery.signed_address import SignedAddress
from surveys.models import OutreachTask

OF_A_TASK = SignedAddress(b"task address", letters=16)


def address(task: OutreachTask) -> str:
    """Such as tasks+17-k3v…@company.example; empty when no TASK_ADDRESS is set."""
    return OF_A_TASK.of(settings.TASK_ADDRESS, task.pk) if settings.TASK_ADDRESS else ""


def read(address: str) -> int | None:
    """The number of the task; None for any address that we did not make."""
    return OF_A_TASK.read(address)
