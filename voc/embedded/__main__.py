"""`make run`: the whole product on a machine with no servers, until Ctrl-C."""

import os
import sys
import time
import urllib.request
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import TypedDict

from voc.embedded.broker import Broker
from voc.embedded.checkout import (
    VAR,
    AlreadyRunning,
    NotOurs,
    announce,
    environment,
    keep_last_logs,
    only_one,
    shared_environment,
)
from voc.embedded.ports import LOOPBACK, NoPort, answers, first_free
from voc.embedded.postgres import Postgres
from voc.embedded.screen import say, step, welcome
from voc.embedded.servers import ROOT, Server, StartFailed, run, stop_leftover
from voc.embedded.supervisor import Supervisor, stop_on_signals

LOGS, PIDS = VAR / "log", VAR / "pids"
WEB_PORT, SMTP_PORT = 8000, 8025


def main() -> int:
    """Run until Ctrl-C or SIGTERM. The exit status is 0 then, and 1 when it could not go on."""
    stop_on_signals()
    supervisor = Supervisor()
    try:
        with only_one():
            try:
                bring_up(supervisor)
            finally:
                shut_down(supervisor)
    except KeyboardInterrupt:
        return 0
    except (AlreadyRunning, NotOurs, NoPort, StartFailed) as error:
        say(f"\n{error}")
        return 1
    return 0


def bring_up(supervisor: Supervisor) -> None:
    """Start everything in order, say where it is, and look after it until a signal comes."""
    began = time.monotonic()
    stop_leftovers()
    keep_last_logs(LOGS)
    port = pick_port(int(os.environ.get("PORT") or WEB_PORT))
    settings = environment(port)
    announce(settings["SITE_URL"])
    say(f"Starting voc in {ROOT}\n")

    settings |= start_servers(supervisor, settings, port)
    with shared_environment(settings):
        manage("tables", ["migrate"], settings)
        filled = manage("demo", ["demo"], settings)
        if any(line.startswith("The demo is ready") for line in filled):
            manage("themes", ["learn"], settings)  # later comments are read every night
        product = launch_product(supervisor, settings, port)
        printed = manage("log-ins", ["demo", "--logins"], settings, quiet=True)
        log_ins = [line for line in printed if "@" in line]  # warnings come the same way
        with step("web, worker, clock"):
            for server in product:
                server.wait_ready()
        seconds = time.monotonic() - began
        say(welcome(settings["SITE_URL"], "INBOX_DIR" in settings, log_ins, seconds))
        supervisor.watch()


def start_servers(supervisor: Supervisor, settings: dict[str, str], port: int) -> dict[str, str]:
    """Start each server that the environment does not name already. Returns where they are."""
    found = {}
    if not settings.get("DATABASE_URL"):
        database = Postgres(VAR / "postgres", **files("postgres"))
        start(supervisor, database)
        found["DATABASE_URL"] = database.url
    if not (settings.get("CELERY_BROKER_URL") or settings.get("REDIS_URL")):
        broker = Broker(VAR / "broker", **files("broker"))
        start(supervisor, broker)
        found["CELERY_BROKER_URL"] = broker.url
    if not settings.get("EMAIL_URL"):
        wanted = int(os.environ.get("SMTP_PORT") or SMTP_PORT)
        smtp, kept = pick_port(wanted, frozenset({port})), VAR / "inbox"
        command = python("-m", "voc.embedded.inbox", "--port", str(smtp), "--dir", str(kept))
        ready = partial(answers, smtp)
        start(supervisor, Server("SMTP inbox", command, ready=ready, **files("inbox")))
        found |= {"EMAIL_URL": f"smtp://{LOOPBACK}:{smtp}", "INBOX_DIR": str(kept)}
    return found


def launch_product(supervisor: Supervisor, settings: dict[str, str], port: int) -> list[Server]:
    """Launch web, worker and clock, all at once, and return them.

    Threads, because a browser holds connections open that it does not use, and each would keep a
    whole synchronous process busy. The queues are those of the calendar in voc/celery.py.
    """
    address = f"{LOOPBACK}:{port}"
    gunicorn = ["--bind", address, "--workers", "2", "--worker-class", "gthread", "--threads", "4"]
    celery = ["worker", "--concurrency", "2", "--queues", "celery,themes", "--loglevel", "INFO"]
    commands = {
        "web": python("-m", "gunicorn", "voc.wsgi", "--no-control-socket", *gunicorn),
        "worker": python("-m", "celery", "--app", "voc", *celery),
        "clock": python("manage.py", "clock"),
    }
    ready = {"web": partial(is_healthy, f"http://{address}/healthz")}
    return [
        supervisor.add(
            Server(name, command, environment=settings, ready=ready.get(name), **files(name))
        )
        for name, command in commands.items()
    ]


def start(supervisor: Supervisor, server: Server) -> None:
    """Start one server with its line on the screen."""
    with step(server.name):
        supervisor.add(server).wait_ready()


def manage(
    label: str, arguments: list[str], settings: dict[str, str], quiet: bool = False
) -> list[str]:
    """Run a command of the product, show how it goes unless `quiet`, return what it printed."""
    name = arguments[0]
    command = Server(
        f"manage.py {name}",
        python("manage.py", *arguments),
        log=LOGS / f"{name}.log",
        environment=settings,
    )
    with step(label, done="done") as detail:
        return run(command, show=(lambda line: None) if quiet else detail)


def pick_port(wanted: int, taken: frozenset[int] = frozenset()) -> int:
    """The wanted port or the next free one, and a line when they differ. Raises NoPort."""
    port = first_free(wanted, taken)
    if port != wanted:
        say(f"port {wanted} is taken, using {port}")
    return port


def stop_leftovers() -> None:
    """Stop what a killed run left behind, so that it neither blocks nor doubles this one."""
    for pidfile in sorted(PIDS.glob("*.pid")):
        if stop_leftover(pidfile):
            say(f"stopped the {pidfile.stem} that an earlier run left behind")


def is_healthy(address: str) -> bool:
    """Whether the web process answers 200."""
    try:
        with urllib.request.urlopen(address, timeout=2) as answer:  # noqa: S310 - our own http://
            return answer.status == HTTPStatus.OK
    except OSError:
        return False


class Files(TypedDict):
    """Where a server writes its log and its process number."""

    log: Path
    pidfile: Path


def files(name: str) -> Files:
    """The files of a server of that name."""
    return {"log": LOGS / f"{name}.log", "pidfile": PIDS / f"{name}.pid"}


def python(*arguments: str) -> list[str]:
    """A command line for the Python that runs us."""
    return [sys.executable, *arguments]


def shut_down(supervisor: Supervisor) -> None:
    """Stop every server, and say so."""
    if supervisor.servers:
        say("\nStopping ...")
        supervisor.stop()
        say("Everything is stopped. The data are kept in var/.")


if __name__ == "__main__":
    sys.exit(main())
