"""The outbox meets the world: claim what is due, hand it over, write down what became of it."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings
from django.db import DatabaseError, connection

from surveys.delivery import claim, lanes
from surveys.delivery.batch import Batch
from surveys.delivery.handover import Desk
from surveys.delivery.pace import Pace
from surveys.delivery.presence import Presence
from surveys.models import Message

log = logging.getLogger(__name__)
Clock = Callable[[], datetime]
BATCH = 100
SLICE = 20.0  # seconds, after which other sweeps have their turn
LOOK_AFTER = 1.0  # seconds between looks at dead colleagues
EXTEND_AFTER = 30.0  # seconds, a quarter of a lease


def drain(clock: Clock, batch: int = BATCH) -> int:
    """Send what is due, up to MAIL_CONNECTIONS batches at a time; returns how many were sent.

    `clock` tells the time in UTC. Safe to run in many processes at once. No new batch is begun
    after 20 seconds; the next tick goes on. Nothing is sent while the lane is paused.
    """
    most = batch * settings.MAIL_CONNECTIONS
    due = Message.objects.due(clock())[:most].count()
    if not due or lanes.is_paused(clock()):
        return 0
    workers = math.ceil(due / batch)
    desk = Desk(clock, workers)
    with Presence() as presence, desk, ThreadPoolExecutor(workers) as pool:
        run = Run(clock, batch, presence, desk)
        try:
            working = [pool.submit(_work, run) for _ in range(workers)]
            _look_after(run, working)
        finally:
            run.stop.set()
        return sum(worker.result() for worker in working)


@dataclass
class Run:
    """What the connections of one sender share."""

    clock: Clock
    batch: int
    presence: Presence
    desk: Desk
    stop: threading.Event = field(default_factory=threading.Event)
    began: float = field(default_factory=time.monotonic)
    pace: Pace = field(default_factory=lambda: Pace(settings.MAIL_RATE))

    def is_over(self) -> bool:
        return self.stop.is_set() or time.monotonic() - self.began > SLICE


def _work(run: Run) -> int:
    """One connection's worth of sending, in a thread with a database connection of its own."""
    sent = 0
    try:
        while not run.is_over():
            messages = claim.claim(run.clock(), run.batch, run.presence.key)
            if not messages:
                break
            sent += Batch(messages, run.clock, run.pace, run.desk, run.stop).send()
        return sent
    finally:
        connection.close()


def _look_after(run: Run, working: list[Future]) -> None:
    """While we send: keep our claims, and take over at once from senders that have died."""
    extended = run.began
    while wait(working, timeout=LOOK_AFTER).not_done:
        try:
            claim.free_abandoned(run.clock())
            if time.monotonic() - extended > EXTEND_AFTER:
                claim.extend(run.presence.key, run.clock())
                extended = time.monotonic()
        except DatabaseError as error:  # down for a moment
            log.error("the database does not answer: %s", error)
            connection.close()
        if run.presence.is_lost():
            log.error("the lock that shows that we live was lost; the next tick goes on")
            run.stop.set()
