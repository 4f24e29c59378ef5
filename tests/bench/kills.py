"""`make kills`: kill -9 of real senders at random moments; nothing is lost, nothing comes twice.

Several processes drain one outbox into a mail server that records what it takes. A nursery kills
one of them at a time and forks another, KILLS times. Meanwhile the in-doubt list is settled by
asking the receiving side. KILLS, SENDERS and CONNECTIONS (of each) come from the environment.
STRATEGY=mark and STRATEGY=requeue are the two careless senders that this would see through.
"""

from __future__ import annotations

import json
import os
import random
import signal
import smtplib
import time
from collections import Counter

from tests.bench import house
from tests.faults.sink import recorded
from voc.embedded.ports import LOOPBACK

KILLS = int(os.environ.get("KILLS", "10000"))
SENDERS = int(os.environ.get("SENDERS", "3"))
CONNECTIONS = int(os.environ.get("CONNECTIONS", "2"))
STRATEGY = os.environ.get("STRATEGY", "")
os.environ["MAIL_CONNECTIONS"] = str(CONNECTIONS)
BATCH = 5
LONGEST_LIFE = 0.25  # seconds between two kills, at most
STOCK = 400  # mails that wait, so that no sender is idle
BUFFERED = 2.0  # seconds in which the sink reads what a dead sender had sent


def sender() -> None:
    """A process that sends until it is killed, or until nothing is due."""
    from django.utils import timezone

    from surveys.delivery import send

    while True:
        send.drain(timezone.now, batch=BATCH)
        time.sleep(0.01)


def be_careless() -> None:
    """The positive controls: one forgets the hand-over, the other calls it sent too early."""
    from surveys.delivery import claim, handover
    from surveys.models import Message

    def mark(waiting, now):
        for mail, _ in waiting:
            Message.objects.filter(pk=mail.pk, lease=mail.lease).update(
                state="sent", sent_at=now, message_id=mail.message_id
            )
        return {mail.pk for mail, _ in waiting}

    def requeue(waiting, now):
        for mail, taken in waiting:
            if taken:
                claim.sent(taken)
            mine = Message.objects.filter(pk=mail.pk, lease=mail.lease)
            mine.update(message_id=mail.message_id)
        return {mail.pk for mail, _ in waiting}

    handover.commit = {"mark": mark, "requeue": requeue}[STRATEGY]


def warm_up() -> None:
    """Write one mail, so that no fork has to read the templates; it must inherit no connection."""
    from django.db import connections
    from django.utils import timezone

    from surveys.delivery import claim, emails

    (message,) = claim.claim(timezone.now(), 1)
    message.message_id = claim.message_id(message)
    emails.render(message)
    claim.give_back([message], "")
    connections.close_all()


def fork(work) -> int:
    pid = os.fork()
    if pid:
        return pid
    try:
        random.seed(os.getpid())
        work()
    finally:
        os._exit(0)


def nursery() -> None:
    """Keeps SENDERS processes alive, and kills KILLS of them, one by one."""
    warm_up()
    living = [fork(sender) for _ in range(SENDERS)]
    for _ in range(KILLS):
        time.sleep(random.uniform(0, LONGEST_LIFE))
        victim = living.pop(random.randrange(len(living)))
        os.kill(victim, signal.SIGKILL)
        os.waitpid(victim, 0)
        living.append(fork(sender))
    for pid in living:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


class Doubts:
    """The in-doubt list, as the admin shows it, and what the receiving side says to it."""

    def __init__(self) -> None:
        self.listed: set[tuple[int, str]] = set()
        self.of_sender: Counter = Counter()
        self.seen: dict[tuple[int, str], float] = {}

    def settle(self) -> None:
        from django.utils import timezone

        from surveys.delivery import doubt
        from surveys.models import Message

        doubtful = list(Message.objects.in_doubt())
        for message in doubtful:
            case = message.pk, str(message.lease)
            if case not in self.listed:
                self.listed.add(case)
                self.of_sender[message.sender] += 1
                self.seen[case] = time.monotonic()
        ripe = [m for m in doubtful if time.monotonic() - self.seen[m.pk, str(m.lease)] > BUFFERED]
        if not ripe:
            return
        hear_out()
        taken = recorded(house.RECORD)
        for message in ripe:
            doubt.settle(message, taken[message.message_id] > 0, timezone.now())


def hear_out() -> None:
    """By the time the sink answers, it has read what came before."""
    for _ in range(2):
        with smtplib.SMTP(LOOPBACK, house.SMTP_PORT, timeout=20) as smtp:
            smtp.noop()


def tend(pid: int, doubts: Doubts) -> None:
    """Until the process ends: keep mails waiting, settle what is in doubt, show how it goes."""
    from surveys.models import Message

    began = shown = time.monotonic()
    while os.waitpid(pid, os.WNOHANG) == (0, 0):
        if Message.objects.filter(state="queued").count() < STOCK:
            house.queue_invitations(STOCK)
        doubts.settle()
        if time.monotonic() - shown > 30:
            shown = time.monotonic()
            sent = Message.objects.filter(state="sent").count()
            print(f"{shown - began:,.0f} s: {sent:,} sent, {len(doubts.listed):,} were in doubt")
        time.sleep(0.3)


def come_to_rest(doubts: Doubts) -> None:
    """Send the rest with a sender that nobody kills, and settle the last doubts. What the poison
    guard has failed, because five senders in a row were killed over it, a person sends again."""
    from django.utils import timezone

    from surveys.delivery import claim, send
    from surveys.loop import deliver
    from surveys.models import Message

    given_up = Message.objects.filter(state="failed")
    print(f"{given_up.count():,} mails were failed by the poison guard, visibly, and sent again")
    while Message.objects.exclude(state="sent").exists():
        for message in given_up.all():
            deliver.send_again(message, None, timezone.now())
        claim.free_abandoned(timezone.now())
        send.drain(timezone.now)
        doubts.settle()
        time.sleep(0.05)


def figures(doubts: Doubts) -> dict[str, int]:
    from surveys.models import Message

    hear_out()
    taken = recorded(house.RECORD)
    promised = list(Message.objects.values_list("pk", "state", "message_id"))
    worst = max(doubts.of_sender.values(), default=0)
    print(f"{len(promised):,} mails; at most {worst} in doubt of one sender's {CONNECTIONS} lines")
    assert worst <= CONNECTIONS
    return {
        "kills": KILLS,
        "lost": sum(taken[message_id] == 0 for _, _, message_id in promised),
        "twice": sum(times > 1 for times in taken.values()),
        "in_doubt": len(doubts.listed),
        "unlisted": sum(state != "sent" for _, state, _ in promised),
    }


def main() -> None:
    with house.open_house("--delay", "0.004"):
        house.start_django()
        if STRATEGY:
            be_careless()
        os.waitpid(fork(lambda: house.queue_invitations(STOCK)), 0)
        pid = fork(nursery)  # before we have a connection that a fork could share
        doubts = Doubts()
        tend(pid, doubts)
        come_to_rest(doubts)
        print(json.dumps(figures(doubts)))


if __name__ == "__main__":
    main()
