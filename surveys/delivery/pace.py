"""So many mails a second and no more, however many connections a sender has."""

from __future__ import annotations

import threading
import time


class Pace:
    """Hands out turns `per_second` apart, to threads in the order in which they ask; 0: at once."""

    def __init__(self, per_second: float):
        self._gap = 1 / per_second if per_second > 0 else 0.0
        self._next = time.monotonic()
        self._lock = threading.Lock()

    def turn(self) -> float:
        """Take the next turn; returns the seconds until it comes."""
        if not self._gap:
            return 0.0
        with self._lock:
            now = time.monotonic()
            mine = max(self._next, now)
            self._next = mine + self._gap
            return mine - now
