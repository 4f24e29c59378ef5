"""The lock that shows that a sender lives."""

import pytest
from django.db import connection

from surveys.delivery.presence import Presence
from tests.waiting import eventually

pytestmark = pytest.mark.django_db(transaction=True)


def can_be_taken(key: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s), pg_advisory_unlock(%s)", [key, key])
        return cursor.fetchone()[0]


def test_the_lock_is_held_for_as_long_as_the_sender_is_there():
    with Presence() as presence:
        assert not can_be_taken(presence.key)
        assert not presence.is_lost()
    assert eventually(
        lambda: can_be_taken(presence.key)
    )  # the server ends a session in its own time


def test_a_sender_notices_that_its_lock_is_gone():
    with Presence() as presence:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks "
                "WHERE locktype = 'advisory' AND granted"
            )
        assert presence.is_lost()


def test_two_senders_have_two_locks():
    with Presence() as one, Presence() as other:
        assert one.key != other.key
