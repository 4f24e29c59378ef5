"""Telling the worker that something is due. Only a hint: the clock finds the same rows alone."""

import logging

from celery import current_app
from django.conf import settings
from django.db import transaction
from kombu.exceptions import OperationalError

log = logging.getLogger(__name__)


def hint(task: str) -> None:
    """Once the transaction has committed, ask a worker to run `task` (its full name) now.

    Never raises and never waits: without a broker the clock's next tick, within 5 s, does the work.
    """
    if settings.CELERY_BROKER_URL:
        transaction.on_commit(lambda: _publish(task), robust=True)


def _publish(task: str) -> None:
    connection = current_app.connection_for_write()
    failures = (OperationalError, *connection.connection_errors, *connection.channel_errors)
    try:
        current_app.send_task(task, retry=False, ignore_result=True)
    except failures as error:
        log.warning("the broker took no hint for %s: %s", task, error)
