"""Clocks and senders, each in a process of its own, all at once.

`python -m tests.faults.clockwork --clocks 2 --senders 3 [--careless]` works on the database that
the environment names, and leaves when all of them have. A clock runs every sweep once, then each
job that the calendar names within the hour, as if it had run for an hour; then it waits for their
end. `--careless`: a slot is given to whoever asks. All processes, the jobs too, are forks of this
one, which saves them the seconds that a start of Python takes.
"""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Callable
from datetime import timedelta

import django


class Fork:
    """A process that does `work` and ends; `wait` returns its exit code."""

    def __init__(self, work: Callable[[], object]):
        self.pid = os.fork()
        if not self.pid:
            code = 1
            try:
                work()
                code = 0
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(code)

    def wait(self) -> int:
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def run_clock() -> None:
    from django.core.management import call_command
    from django.db import connection

    from surveys.management.commands import clock

    class Jobs(clock.Jobs):
        def __init__(self, started_at):
            super().__init__(started_at - timedelta(hours=1))

        def _start(self, name, path):
            connection.close()  # else a fork would talk through it too
            self.running[name] = Fork(lambda: call_command("sweep", path))

        def stop(self):
            assert [job.wait() for job in self.running.values()] == [0] * len(self.running)

    clock.Jobs = Jobs
    call_command("clock", once=True)


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--clocks", type=int, default=1)
    options.add_argument("--senders", type=int, default=0)
    options.add_argument("--careless", action="store_true")
    chosen = options.parse_args()
    django.setup()
    from django.utils import timezone

    from surveys.delivery import send
    from surveys.models import Slot

    if chosen.careless:
        Slot.take = lambda *_: True
    works = [run_clock] * chosen.clocks + [lambda: send.drain(timezone.now)] * chosen.senders
    sys.exit(max(process.wait() for process in [Fork(work) for work in works]))


if __name__ == "__main__":
    main()
