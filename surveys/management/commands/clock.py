"""The clock: runs the calendar's sweeps by itself, so that the loop ends without any broker."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
import threading
import time
from datetime import datetime
from importlib import import_module
from typing import Any, Self

from celery import current_app
from celery.schedules import crontab
from django.core.management.base import BaseCommand
from django.db import DatabaseError, connection
from django.utils import timezone

log = logging.getLogger(__name__)
SECOND = 1.0
REAPER = "reaper"  # the queue of the calendar that waits behind no other sweep; here, a thread
Calendar = dict[str, dict[str, Any]]


class Command(BaseCommand):
    help = "Run each sweep when it is due. One clock is enough; a second one does no harm."

    def add_arguments(self, parser):
        parser.add_argument("--once", action="store_true", help="Run every sweep once, and leave.")

    def handle(self, *, once: bool, **options):
        self.stopping = threading.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: self.stopping.set())
        jobs, ran_at = Jobs(timezone.now()), {}
        if once:
            run_sweeps(sweeps(), ran_at)
            jobs.start_due(timezone.now())
        else:
            with Reaper():
                self._run(jobs, ran_at)
        jobs.stop()

    def _run(self, jobs: Jobs, ran_at: dict[str, float]) -> None:
        while not self.stopping.is_set():
            run_sweeps(sweeps(for_reaper=False), ran_at)
            jobs.start_due(timezone.now())
            self.stopping.wait(SECOND)


class Reaper(threading.Thread):
    """Takes over from dead senders once a second, however long the other sweeps take."""

    def __init__(self) -> None:
        super().__init__(name="reaper", daemon=True)
        self.stopping = threading.Event()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stopping.set()
        self.join()

    def run(self) -> None:
        ran_at: dict[str, float] = {}
        try:
            while not self.stopping.is_set():
                run_sweeps(sweeps(for_reaper=True), ran_at)
                self.stopping.wait(SECOND)
        finally:
            connection.close()


def sweeps(for_reaper: bool | None = None) -> Calendar:
    """The calendar's sweeps that recur within seconds: all, the reaper's, or all but those."""
    return {
        name: entry
        for name, entry in current_app.conf.beat_schedule.items()
        if not isinstance(entry["schedule"], crontab)
        and for_reaper in (None, entry["options"].get("queue") == REAPER)
    }


def run_sweeps(calendar: Calendar, ran_at: dict[str, float]) -> None:
    """Those of `calendar` that are due, one after the other.

    `ran_at` keeps when each one ran last, in seconds of the monotonic clock.
    """
    for name, entry in calendar.items():
        if not _is_due(name, entry["schedule"], ran_at):
            continue
        try:
            task(entry["task"])()
        except DatabaseError as error:  # down for a moment; the next tick finds the same rows
            log.error("%s: the database does not answer: %s", name, error)
            connection.close()
        except Exception:
            log.exception("%s failed; the other sweeps go on", name)


def _is_due(name: str, every: float, ran_at: dict[str, float]) -> bool:
    now = time.monotonic()
    if now - ran_at.get(name, now - every) < every - SECOND / 2:
        return False
    ran_at[name] = now
    return True


def task(path: str):
    module, _, function = path.rpartition(".")
    return getattr(import_module(module), function)


class Jobs:
    """The calendar's long jobs, such as the nightly themes, each in a process of its own."""

    def __init__(self, started_at: datetime):
        self.looked_at = started_at
        self.running: dict[str, subprocess.Popen] = {}

    def start_due(self, now: datetime) -> None:
        for name, entry in current_app.conf.beat_schedule.items():
            schedule = entry["schedule"]
            if isinstance(schedule, crontab) and _fell_due(schedule, self.looked_at, now):
                self._start(name, entry["task"])
        self.looked_at = now

    def _start(self, name: str, path: str) -> None:
        before = self.running.get(name)
        if before is None or before.poll() is not None:
            self.running[name] = subprocess.Popen([sys.executable, sys.argv[0], "sweep", path])

    def stop(self) -> None:
        for process in self.running.values():
            if process.poll() is None:
                process.terminate()


def _fell_due(schedule: crontab, before: datetime, now: datetime) -> bool:
    """Whether the calendar has an entry after `before` and up to `now`; several count as one."""
    last, until_next, _ = schedule.remaining_delta(before)
    return last + until_next <= now
