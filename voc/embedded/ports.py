"""Which TCP port on loopback is ours to take."""

import socket
from itertools import count

LOOPBACK = "127.0.0.1"
LAST_PORT = 65_535


class NoPort(Exception):
    """Every port from the wanted one upwards is taken."""


def is_free(port: int) -> bool:
    """Whether a server could listen there now. A connection that is still closing is no hurdle."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen()
        except OSError:
            return False
    return True


def first_free(wanted: int, taken: frozenset[int] = frozenset()) -> int:
    """The wanted port, or the next one that is free and not in `taken`. Raises NoPort."""
    for port in count(wanted):
        if port > LAST_PORT:
            raise NoPort(f"No free port from {wanted} to {LAST_PORT} on {LOOPBACK}.")
        if port not in taken and is_free(port):
            return port
    raise AssertionError("unreachable: count() does not end")


def any_free() -> int:
    """A port that the system picks among the free ones, so that two who ask get two."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    """Whether something accepts connections there."""
    try:
        socket.create_connection((LOOPBACK, port), timeout=1).close()
    except OSError:
        return False
    return True
