"""Hints: a request does not wait for a broker that is down."""

import kombu
import kombu.utils.functional
import pytest
from kombu.exceptions import OperationalError


@pytest.fixture
def waits(monkeypatch) -> list[float]:
    """For how many seconds kombu would have slept between its attempts."""
    found: list[float] = []
    monkeypatch.setattr(kombu.utils.functional, "sleep", found.append)
    return found


def connect(**options: object) -> None:
    with pytest.raises(OperationalError, match="refused"):
        _ = kombu.Connection("redis://127.0.0.1:1/0", transport_options=options).default_channel


def test_a_broker_that_is_down_is_tried_once(waits, settings):
    connect(**settings.CELERY_BROKER_TRANSPORT_OPTIONS)
    assert waits == []


def test_as_it_comes_kombu_would_wait(waits):
    """The control."""
    connect(max_retries=1, interval_start=2)
    assert sum(waits) == 2
