"""For what another process or server does in its own time."""

import time
from collections.abc import Callable

PATIENCE = 20.0  # seconds; only a test that fails waits so long


def until(is_so: Callable[[], bool]) -> bool:
    """True as soon as it is so, False when patience ends."""
    end = time.monotonic() + PATIENCE
    while not is_so():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
