"""A sender in a process of its own that dies, or stops, at a named point.

`python -m tests.faults.sender [--at POINT] [--how kill|stop] [--careless]` drains the database that
the environment names. The points, in the order of a mail: claimed, rendered, connecting, MAIL,
RCPT, 354, handed, mid-body, dot, 250. `hint`: asks a customer, and dies before the broker hears of
it. `--careless` hands over whatever has become of the claim.
"""

from __future__ import annotations

import argparse
import signal
import threading

import django

END = b"\r\n.\r\n"


def arm(point: str, die) -> None:
    """Replace the function that passes `point` by one that dies there."""
    from surveys.delivery import claim, emails, handover, hints, smtp

    say, connect = smtp._Patient.say, smtp._connect

    def dying_say(self, words, answers=1):
        is_body = words.endswith(END)
        if is_body and point in ("mid-body", "dot"):
            self.sock.sendall(words[: len(words) // 2] if point == "mid-body" else words)
            die()
        replies = say(self, words, answers)
        reached = (
            "250" if is_body else {b"MAIL": "MAIL", b"RCPT": "RCPT", b"DATA": "354"}[words[:4]]
        )
        if reached == point:
            die()
        return replies

    def after(work):
        def dying(*arguments, **options):
            result = work(*arguments, **options)
            die()
            return result

        return dying

    def before(work):
        def dying(*arguments, **options):
            die()
            return work(*arguments, **options)

        return dying

    smtp._Patient.say = dying_say
    if point == "claimed":
        claim.claim = after(claim.claim)
    elif point == "rendered":
        emails.render = after(emails.render)
    elif point == "connecting":
        smtp._connect = before(connect)
    elif point == "handed":
        handover.commit = after(handover.commit)
    elif point == "hint":
        hints._publish = before(hints._publish)


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--at", default="")
    options.add_argument("--how", choices=["kill", "stop"], default="kill")
    options.add_argument("--careless", action="store_true")
    chosen = options.parse_args()
    django.setup()
    from django.utils import timezone

    from surveys.delivery import handover, send
    from surveys.loop import ask
    from surveys.models import Customer, Survey

    number = signal.SIGKILL if chosen.how == "kill" else signal.SIGSTOP
    # To this very thread: another one might take it, and this one would go on for a while.
    arm(chosen.at, lambda: signal.pthread_kill(threading.get_ident(), number))
    if chosen.careless:
        handover.commit = lambda waiting, now: {one.mail.pk for one in waiting}
    if chosen.at == "hint":
        ask.invite(Survey.objects.get(), Customer.objects.all(), "test:1", timezone.now())
    send.drain(timezone.now)


if __name__ == "__main__":
    main()
