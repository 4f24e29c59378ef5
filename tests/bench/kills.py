"""`make kills`: kill -9 of real senders at random moments; nothing is lost, nothing comes twice.

Several processes drain one outbox into a mail server that records what it takes. A nursery kills
one of them at a time and forks another, KILLS times. Meanwhile the in-doubt list is settled by
asking the receiving side. KILLS, SENDERS and CONNECTIONS (of each) come from the environment.
STRATEGY=mark and STRATEGY=requeue are the two careless senders that this would see through,
STRATEGY=silent and STRATEGY=idle two careless reapers: one puts what a dead sender handed over
back into the queue as if nothing had happened, the other never comes.
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
REAPER_TURNS = 10  # after the last kill: the database, too, has to notice that a client is gone
PATIENCE = float(os.environ.get("PATIENCE", "30"))  # seconds in which nothing moves, at the end

# The database keeps books of its own: what became of each mail that was handed over and not sent.
BOOKS = """
    CREATE TABLE unsent (message bigint, lease uuid, became text);
    CREATE FUNCTION note_unsent() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO unsent VALUES (OLD.id, OLD.lease, NEW.state);
        RETURN NULL;
    END $$;
    CREATE TRIGGER unsent AFTER UPDATE ON surveys_message FOR EACH ROW
        WHEN (OLD.state = 'sending' AND OLD.handed_at IS NOT NULL
            AND NEW.state NOT IN ('sending', 'sent'))
        EXECUTE FUNCTION note_unsent();
"""
Case = tuple[int, str]  # a mail, and the claim under which it was handed over


def sender() -> None:
    """A process that sends until it is killed, or until nothing is due."""
    from django.utils import timezone

    from surveys.delivery import send

    while True:
        send.drain(timezone.now, batch=BATCH)
        time.sleep(0.01)


def be_careless() -> None:
    """The positive controls: one sender forgets the hand-over, the other calls it sent too early;
    one reaper keeps what it found to itself, the other finds nothing."""
    from django.db import transaction

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

    def silent(now):
        with transaction.atomic():
            dead = Message.objects.filter(state="sending", sender__in=claim._dead_senders())
            return dead.update(state="queued", handed_at=None)

    careless = {"mark": mark, "requeue": requeue, "silent": silent, "idle": lambda now: 0}[STRATEGY]
    if STRATEGY in ("silent", "idle"):
        claim.free_abandoned = careless
    else:
        handover.commit = careless


def open_books() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(BOOKS)


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
        self.listed: set[Case] = set()
        self.of_sender: Counter = Counter()
        self.seen: dict[Case, float] = {}

    def read(self) -> list:
        """Who is on the list now; each of them is remembered."""
        from surveys.models import Message

        doubtful = list(Message.objects.in_doubt())
        for message in doubtful:
            case = message.pk, str(message.lease)
            if case not in self.listed:
                self.listed.add(case)
                self.of_sender[message.sender] += 1
                self.seen[case] = time.monotonic()
        return doubtful

    def settle(self) -> None:
        from django.utils import timezone

        from surveys.delivery import doubt

        doubtful = self.read()
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


def unlisted(doubts: Doubts) -> set[int]:
    """The mails, right after the last kill, that somebody may have and nobody is told of.

    All senders are dead, and nothing is sent or settled while we look. The reaper has had its
    turns. Whatever was handed over, at any time of the run, has to be sent or on the list; and
    whatever the sink has must not wait to be sent.
    """
    from django.db import connection

    from surveys.delivery import claim
    from surveys.models import Message

    hear_out()
    let_the_reaper_come()
    doubts.read()
    taken = recorded(house.RECORD)
    with connection.cursor() as cursor:
        cursor.execute("SELECT message, lease::text FROM unsent")
        unsent: set[Case] = set(cursor.fetchall())
    missed = {key for key, _ in unsent - doubts.listed}
    waiting = Message.objects.filter(state__in=["queued", "sending", "held", "cancelled", "failed"])
    return missed | {m.pk for m in waiting if m.handed_at or taken[claim.message_id(m)]}


def let_the_reaper_come() -> None:
    from django.utils import timezone

    from surveys.delivery import claim
    from surveys.models import Message

    for _ in range(REAPER_TURNS):
        claim.free_abandoned(timezone.now())
        if not Message.objects.filter(state="sending").exists():
            break
        time.sleep(1)


def come_to_rest(doubts: Doubts) -> None:
    """Send the rest with a sender that nobody kills, and settle the last doubts. What the poison
    guard has failed, because five senders in a row were killed over it, a person sends again.
    What does not move for PATIENCE is left where it is: the run ends, and calls it lost."""
    from django.utils import timezone

    from surveys.delivery import claim, send
    from surveys.loop import deliver
    from surveys.models import Message

    given_up = Message.objects.filter(state="failed")
    print(f"{given_up.count():,} mails were failed by the poison guard, visibly, and sent again")
    left, moved = -1, time.monotonic()
    while rest := Message.objects.exclude(state="sent").count():
        if rest != left:
            left, moved = rest, time.monotonic()
        elif time.monotonic() - moved > PATIENCE:
            print(f"{rest:,} mails do not move any more")
            return
        for message in given_up.all():
            deliver.send_again(message, None, timezone.now())
        claim.free_abandoned(timezone.now())
        send.drain(timezone.now)
        doubts.settle()
        time.sleep(0.05)


def figures(doubts: Doubts, missed: set[int]) -> dict[str, int]:
    from surveys.models import Message

    hear_out()
    taken = recorded(house.RECORD)
    promised = list(Message.objects.values_list("message_id", flat=True))
    worst = max(doubts.of_sender.values(), default=0)
    print(f"{len(promised):,} mails; at most {worst} in doubt of one sender's {CONNECTIONS} lines")
    assert worst <= CONNECTIONS
    return {
        "kills": KILLS,
        "lost": sum(taken[message_id] == 0 for message_id in promised),
        "twice": sum(times > 1 for times in taken.values()),
        "in_doubt": len(doubts.listed),
        "unlisted": len(missed),
    }


def main() -> None:
    with house.open_house("--delay", "0.004"):
        house.start_django()
        if STRATEGY:
            be_careless()
        os.waitpid(fork(open_books), 0)
        os.waitpid(fork(lambda: house.queue_invitations(STOCK)), 0)
        pid = fork(nursery)  # before we have a connection that a fork could share
        doubts = Doubts()
        tend(pid, doubts)
        missed = unlisted(doubts)
        come_to_rest(doubts)
        print(json.dumps(figures(doubts, missed)))


if __name__ == "__main__":
    main()
