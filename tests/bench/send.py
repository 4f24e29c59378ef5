"""`make bench-send`: invitations a second with every state write, against smtplib.

smtplib gives mails that were written before to the same mail server, on one reused connection. The
server does what RFC 5321 (6.1) wants: a mail is on its disk before its 250. SINK=memory spares it
that, which leaves next to nothing to smtplib, and our own fsync to us. Each round runs smtplib, one
sender, and two senders at once, so that all see the same machine. A sender is one process. MAILS
(a round, each), ROUNDS and CONNECTIONS (of a sender) come from the environment.
"""

from __future__ import annotations

import json
import os
import smtplib
import statistics
import sys
import time

from tests.bench import house
from tests.bench.kills import fork, warm_up
from voc.embedded.ports import LOOPBACK

LEAST_VS_SMTPLIB, LEAST_TWO_VS_ONE = 0.4, 1.2
MAILS = int(os.environ.get("MAILS", "2500"))
SINK = [] if os.environ.get("SINK") == "memory" else ["--durable"]
ROUNDS = int(os.environ.get("ROUNDS", "5"))
os.environ["MAIL_CONNECTIONS"] = os.environ.get("CONNECTIONS", "6")


def with_smtplib(letters: list) -> float:
    """Seconds for the letters on one connection."""
    with smtplib.SMTP(LOOPBACK, house.SMTP_PORT) as smtp:
        smtp.ehlo()
        began = time.perf_counter()
        for letter in letters:
            smtp.sendmail(letter.sender, [letter.recipient], letter.content)
        return time.perf_counter() - began


def with_senders(number: int) -> float:
    """Seconds for as many due invitations, from the start of each sender's work to its end."""
    waiting, go = os.pipe()
    pids = [fork(lambda: sender(waiting)) for _ in range(number)]
    time.sleep(0.2)
    began = time.perf_counter()
    os.write(go, b"!" * number)
    for pid in pids:
        os.waitpid(pid, 0)
    seconds = time.perf_counter() - began
    os.close(waiting)
    os.close(go)
    return seconds


def sender(waiting: int) -> None:
    from django.utils import timezone

    from surveys.delivery import send

    os.read(waiting, 1)
    while send.drain(timezone.now):
        pass


def written(number: int) -> list:
    """So many letters, as a sender writes them."""
    from django.utils import timezone

    from surveys.delivery import claim, emails

    messages = claim.claim(timezone.now(), number)
    for message in messages:
        message.message_id = claim.message_id(message)
    letters = [emails.render(message) for message in messages]
    claim.give_back(messages, "")
    return letters


def statements() -> float:
    """SQL statements for each of MAILS invitations, all connections counted."""
    import psycopg
    from django.utils import timezone

    from surveys.delivery import send

    counted = []
    execute = psycopg.Cursor.execute

    def counting(self, query, *arguments, **options):
        counted.append(query)
        return execute(self, query, *arguments, **options)

    psycopg.Cursor.execute = counting
    try:
        sent = send.drain(timezone.now)
    finally:
        psycopg.Cursor.execute = execute
    return len(counted) / sent


def aside(work) -> None:
    """In a process of its own, so that no fork shares a database connection."""
    os.waitpid(fork(work), 0)


def one_round(letters: list) -> tuple[float, float, float]:
    """Mails a second: smtplib, one sender, two senders."""
    rates = [len(letters) / with_smtplib(letters)]
    for number in (1, 2):
        aside(lambda: house.queue_invitations(MAILS))
        rates.append(MAILS / with_senders(number))
    print("smtplib {:,.0f}, one sender {:,.0f}, two {:,.0f} mails/s".format(*rates), flush=True)
    return rates[0], rates[1], rates[2]


def main() -> None:
    with house.open_house(*SINK):
        house.start_django()
        from django.db import connections

        house.queue_invitations(MAILS)
        warm_up()
        letters = written(MAILS)
        per_message = statements()
        connections.close_all()
        size = statistics.mean(len(letter.content) for letter in letters)
        print(f"one sender has {os.environ['MAIL_CONNECTIONS']} connections; {size:,.0f} B a mail")
        rounds = [one_round(letters) for _ in range(ROUNDS)]
    found = {
        "vs_smtplib": round(statistics.median(one / bare for bare, one, _ in rounds), 2),
        "two_vs_one": round(statistics.median(two / one for _, one, two in rounds), 2),
        "sql_per_message": round(per_message, 2),
    }
    print(json.dumps(found))
    sys.exit(found["vs_smtplib"] < LEAST_VS_SMTPLIB or found["two_vs_one"] < LEAST_TWO_VS_ONE)


if __name__ == "__main__":
    main()
