"""Who is on the other side of a request: an address, and what it did in the last seconds.

Counted in the memory of each web process, so that looking at a page writes nothing: with several
processes a limit is reached somewhat later, never sooner.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from threading import Lock
from time import monotonic

from django.conf import settings
from django.http import HttpRequest

MOST_CLIENTS = 10_000  # remembered at once; the one that was quiet longest is forgotten first


def address_of(request: HttpRequest) -> str:
    """The client's address, as our outermost proxy (PROXY_COUNT) saw it; of IPv6 the /64, which
    is one household or office."""
    address = request.META.get("REMOTE_ADDR", "")
    if settings.PROXY_COUNT:
        hops = request.headers.get("X-Forwarded-For", "").split(",")
        seen = hops[-settings.PROXY_COUNT :][0].strip()
        address = seen or address
    return _network(address)


def _network(address: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(IPv6Address(int(parsed) >> 64 << 64))
    return str(parsed)


class Lately:
    """What each client did within the last `seconds`; at most `most` things each."""

    def __init__(self, seconds: float, most: int, clock: Callable[[], float] = monotonic):
        self.seconds, self.most, self.clock = seconds, most, clock
        self._done: OrderedDict[str, deque[tuple[float, object]]] = OrderedDict()
        self._lock = Lock()

    def add(self, client: str, thing: object) -> list[object]:
        """Everything the client did lately, `thing` being the latest."""
        now = self.clock()
        with self._lock:
            done = self._done.setdefault(client, deque(maxlen=self.most))
            self._done.move_to_end(client)
            if len(self._done) > MOST_CLIENTS:
                self._done.popitem(last=False)
            done.append((now, thing))
            while now - done[0][0] > self.seconds:
                done.popleft()
            return [thing for _, thing in done]

    def of(self, client: str) -> list[object]:
        """Everything the client did lately."""
        now = self.clock()
        with self._lock:
            done = self._done.get(client, ())
            return [thing for at, thing in done if now - at <= self.seconds]

    def forget(self) -> None:
        with self._lock:
            self._done.clear()


walks = Lately(seconds=10, most=20)
guesses = Lately(seconds=60, most=61)
MOST_GUESSES = 60  # unknown links a minute


def meet(client: str, invitation: int) -> None:
    """The client opened or pressed a link of that invitation."""
    walks.add(client, invitation)


def invitations_met(client: str) -> int:
    """Of how many invitations the client opened or pressed a link within 10 seconds. One mail holds
    several links, and whoever follows all of them goes nowhere else."""
    return len(set(walks.of(client)))


def guesses_too_much(client: str) -> bool:
    """Count one unknown link; whether it is one too many for a minute."""
    return len(guesses.add(client, None)) > MOST_GUESSES
