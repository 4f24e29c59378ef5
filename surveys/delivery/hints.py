"""Telling the worker that something is due. Only a hint: the clock finds the same rows alone."""

import logging

from celery import current_app
from django.conf import settings
from django.db import transaction

log = logging.getLogger(__name__)


def hint(task: str) -> None:
    """Once the transaction has committed, ask a worker to run `task` (its full name) now.

    Never raises and never waits: without a broker the clock's next tick, within 5 s, does the work.
    """
    if settings.CELERY_BROKER_URL:
        transaction.on_commit(lambda: _publish(task), robust=True)


def _publish(task: str) -> None:
    try:
        current_app.send_task(task, retry=False, ignore_result=True)
    except current_app.connection_for_write().connection_errors as error:
        log.warning("the broker did not take a hint for %s: %s", task, error)
    except current_app.connection_for_write().channel_errors as error:
        log.warning("the broker refused a hint for %s: %s", task, error)
