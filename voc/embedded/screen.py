"""What `make run` tells the person who started it: one line for each step, with its seconds."""

import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

CLEAR_LINE = "\r\x1b[K"


@contextmanager
def step(label: str, done: str = "ready") -> Iterator[Callable[[str], None]]:
    """Say that a step has begun, and how long it took. Yields a function that shows its details:
    in place on a terminal, line by line in a file.
    """
    began = time.monotonic()
    terminal = sys.stdout.isatty()

    def detail(line: str) -> None:
        if terminal:
            width = shutil.get_terminal_size().columns - 1
            sys.stdout.write(CLEAR_LINE + f"  {label:<24} {line.strip()}"[:width])
            sys.stdout.flush()
        elif line.strip():
            say(f"    {line.rstrip()}")

    detail("..." if terminal else "")
    outcome = "failed"
    try:
        yield detail
        outcome = done
    except KeyboardInterrupt:
        outcome = "interrupted"
        raise
    finally:
        seconds = f"({time.monotonic() - began:.1f} s)"
        say(f"{CLEAR_LINE if terminal else ''}  {label:<24} {outcome} {seconds}")


def say(text: str = "") -> None:
    """Print now, even into a pipe."""
    print(text, flush=True)


def welcome(site: str, inbox: bool, log_ins: list[str], seconds: float) -> str:
    """The block that stands on the screen while everything runs."""
    lines = ["", f"voc is ready after {seconds:.1f} seconds.", ""]
    lines += [f"  Product     {site}/", f"  Admin       {site}/admin/"]
    if inbox:
        lines.append(f"  Inbox       {site}/inbox/   (all the mail that voc sends stays here)")
    lines += ["", "  Sign in as (e-mail, password, role)"] if log_ins else []
    lines += [f"    {line}" for line in log_ins]
    lines += [
        "",
        "  Data        var/   (delete it to begin again)",
        "  Logs        var/log/",
        "  Commands    make manage ARGS='import_customers FILE'",
        "",
        "Ctrl-C stops everything.",
    ]
    return "\n".join(lines)
