"""Keeps servers running: starts again what dies, and stops all of them in order."""

import signal
import time
from collections import defaultdict

from voc.embedded.screen import say
from voc.embedded.servers import Server, StartFailed

LOOK_EVERY = 0.5  # seconds
RECENT = 60.0  # seconds; older deaths are forgiven
TOO_MANY = 5  # recent deaths after which starting again is no help


class Supervisor:
    """Servers in the order in which they were added; the last one added stops first."""

    def __init__(self) -> None:
        self.servers: list[Server] = []
        self._deaths: dict[Server, list[float]] = defaultdict(list)
        self._due: dict[Server, float] = {}

    def add(self, server: Server) -> Server:
        """Launch it, watch it from now on and stop it in the end. Raises StartFailed."""
        self.servers.append(server)
        server.launch()
        return server

    def watch(self) -> None:
        """Look after the servers for ever. Raises StartFailed when one cannot be kept alive."""
        while True:
            self.look(time.monotonic())
            time.sleep(LOOK_EVERY)

    def look(self, now: float) -> None:
        """Note who died, and start those whose pause is over. `now` in monotonic seconds."""
        for server in self.servers:
            if server in self._due:
                if now >= self._due[server]:
                    del self._due[server]
                    server.launch()
                    say(f"{server.name} runs again.")
            elif not server.alive:
                self._bury(server, now)

    def stop(self) -> None:
        """Stop everything, last started first. A second Ctrl-C kills instead of asking."""
        patience = None
        for server in reversed(self.servers):
            try:
                server.stop(patience)
            except KeyboardInterrupt:
                patience = 0.0
                server.stop(patience)

    def _bury(self, server: Server, now: float) -> None:
        """Clear away what is left of it, and plan the next start: after 1, 2, 4, 8 seconds."""
        deaths = [death for death in self._deaths[server] if now - death < RECENT] + [now]
        self._deaths[server] = deaths
        how = ending(server)
        server.stop(patience=1.0)
        if len(deaths) >= TOO_MANY:
            raise StartFailed(server.report(f"{how}, {len(deaths)} times within a minute"))
        pause = 2.0 ** (len(deaths) - 1)
        self._due[server] = now + pause
        say(f"\n{server.report(f'{how}; starting it again in {pause:.0f} s')}")


def ending(server: Server) -> str:
    """How a dead server died, in words."""
    status = server.exit_status
    if status is not None and status < 0:
        return f"was ended by {signal.Signals(-status).name}"
    return f"ended with status {status}"


def stop_on_signals() -> None:
    """Let SIGTERM and a closed terminal stop us the way Ctrl-C does."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)
