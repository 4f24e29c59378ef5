"""Workers that fold until they are killed: `python -m tests.faults.folder KILLS [--careless]`.

One process forks them one after the other and kills each at a random moment. They are slow between
the notes that they take and the counts that they write, so most of them die in between.
"""

import os
import random
import signal
import sys
import time

import django

SLOW = 0.004  # seconds before each count
SHORTEST_LIFE, LONGEST_LIFE = 0.1, 0.3  # seconds
FEW = 4  # notes at a time


def work(careless: bool) -> None:
    from analysis import fold

    count = fold.count_anew

    def slowly(recipe, cells):
        time.sleep(SLOW)
        count(recipe, cells)

    fold.count_anew = slowly
    # Without its transaction every statement stands for itself: the notes are gone at once.
    one_batch = fold.fold.__wrapped__ if careless else fold.fold
    while True:
        if not one_batch(FEW):
            time.sleep(0.002)


def main() -> None:
    django.setup()
    random.seed(7)
    for _ in range(int(sys.argv[1])):
        pid = os.fork()
        if not pid:
            try:
                work("--careless" in sys.argv)
            finally:
                os._exit(1)
        time.sleep(random.uniform(SHORTEST_LIFE, LONGEST_LIFE))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


if __name__ == "__main__":
    main()
