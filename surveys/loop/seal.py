"""Seal: chain the entries of the audit trail, so that a changed or missing one can be told.

A verb adds its entry without a link, or each would wait for the one before. This sweep chains them
in the order of their numbers. Numbers are given out before transactions end, so a lower one may
come in after a higher one; hence nothing is sealed before everybody has finished who was writing
when the horizon was drawn. Numbers of transactions that failed stay gaps.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Exists, Max, OuterRef

from surveys.models import AuditEntry, AuditSeal, SealingHorizon
from surveys.models.audit import START, content_digest, link, said_digest

BATCH = 1_000
AT_A_TIME = 20_000  # entries, after which other sweeps have their turn
KEPT_FOR = timedelta(days=365)  # younger entries cannot be deleted (the trigger says so, too)
ONE_AT_A_TIME = 7_353_291  # the advisory lock of the sealer, of our own choosing

# A transaction takes this lock before it draws a number, and holds it until its end; its own id may
# come later, so a snapshot's oldest transaction (xmin) would miss some.
WRITERS = """
SELECT DISTINCT virtualtransaction FROM pg_locks
WHERE relation = to_regclass(%s) AND mode = 'RowExclusiveLock' AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND pid IS DISTINCT FROM pg_backend_pid()
"""


def seal(batch: int = BATCH, at_a_time: int = AT_A_TIME) -> int:
    """Seal what can be; returns how many entries. What is left is sealed by the next run."""
    horizon, done = _move_horizon(), 0
    while done < at_a_time and (sealed := _seal_batch(horizon, batch)):
        done += sealed
    return done


@transaction.atomic
def _move_horizon() -> int:
    """The number up to which nothing can come in any more.

    Two statements in this order: whoever draws a lower number later than the first one is seen by
    the second.
    """
    row, _ = SealingHorizon.objects.select_for_update().get_or_create(only=True)
    writing = set(_writers())
    if not writing & set(row.waits_for):
        reached = row.up_to
        row.up_to = AuditEntry.objects.aggregate(last=Max("pk"))["last"] or 0
        row.waits_for = sorted(_writers())
        row.save()
        return reached if row.waits_for else row.up_to
    return 0


def _writers() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(WRITERS, [AuditEntry._meta.db_table])
        return [name for (name,) in cursor.fetchall()]


@transaction.atomic
def _seal_batch(horizon: int, batch: int) -> int:
    if not _alone():
        return 0
    last = AuditSeal.objects.order_by("-position").first()
    after = last.entry if last else 0
    # Locked: whoever erases one meanwhile waits, and then finds its salt.
    entries = AuditEntry.objects.raw(
        "SELECT * FROM surveys_auditentry WHERE id > %s AND id <= %s ORDER BY id LIMIT %s"
        " FOR SHARE",
        [after, horizon, batch],
    )
    seals = []
    for entry in entries:
        last = AuditSeal.over(entry, last)
        seals.append(last)
    AuditSeal.objects.bulk_create(seals)
    return len(seals)


def _alone() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [ONE_AT_A_TIME])
        return cursor.fetchone()[0]


@dataclass(frozen=True)
class Verdict:
    """What checking the whole chain found. `broken` is a sentence about the first fault, or empty;
    `unsealed` are the entries that wait for the sweep."""

    sealed: int
    unsealed: int
    last: AuditSeal | None
    broken: str = ""


def verify(now: datetime, batch: int = BATCH) -> Verdict:
    """Recompute every seal from its entry, from the first one on."""
    sealed, last, seal = 0, START, None
    for seal, entry in _pairs(batch):
        if broken := _fault(seal, entry, last, sealed + 1, now):
            return Verdict(sealed, _unsealed(seal.entry), seal, broken)
        sealed, last = seal.position, bytes(seal.seal)
    horizon = seal.entry if seal else 0
    return Verdict(sealed, _unsealed(horizon), seal, _slipped_in(horizon))


def stands(noted: str) -> bool:
    """Whether a seal that was noted earlier, as “position:hex”, is in the chain. Without such a
    note nobody can tell a chain that was made anew from its beginning, or lost its end.

    Raises ValueError for what is no such text.
    """
    position, _, digest = noted.partition(":")
    wanted = bytes.fromhex(digest)
    if len(wanted) != len(START):
        raise ValueError(f"{noted} is no seal: it reads position:64 hexadecimal digits.")
    return AuditSeal.objects.filter(position=int(position), seal=wanted).exists()


def _pairs(batch: int) -> Iterator[tuple[AuditSeal, AuditEntry | None]]:
    position = 0
    while seals := list(AuditSeal.objects.filter(position__gt=position)[:batch]):
        entries = AuditEntry.objects.in_bulk([seal.entry for seal in seals])
        yield from ((seal, entries.get(seal.entry)) for seal in seals)
        position = seals[-1].position


def _fault(
    seal: AuditSeal, entry: AuditEntry | None, before: bytes, position: int, now: datetime
) -> str:
    if seal.position != position:
        return f"Seal {position} is missing."
    if bytes(seal.seal) != link(before, seal.at, bytes(seal.content)):
        return f"Seal {position} does not follow from the seal before it."
    if entry is None:
        is_old = now - seal.at >= KEPT_FOR
        return "" if is_old else f"Entry {seal.entry} is missing (seal {position})."
    if bytes(seal.content) != content_digest(entry, bytes(seal.said)):
        return f"Entry {seal.entry} was changed: who, what or when (seal {position})."
    if entry.erasure_id is not None:
        is_blank = (entry.before, entry.after, entry.reason) == ({}, {}, "")
        return "" if is_blank else f"Entry {seal.entry} was erased and says something again."
    if seal.salt is None or bytes(seal.said) != said_digest(entry, bytes(seal.salt)):
        return f"What entry {seal.entry} says was changed (seal {position})."
    return ""


def _unsealed(horizon: int) -> int:
    return AuditEntry.objects.filter(pk__gt=horizon).count()


def _slipped_in(horizon: int) -> str:
    """Numbers up to the last sealed one were settled when it was sealed."""
    sealed = Exists(AuditSeal.objects.filter(entry=OuterRef("pk")))
    first = AuditEntry.objects.filter(~sealed, pk__lte=horizon).order_by("pk").first()
    return f"Entry {first.pk} was added behind the seals." if first else ""
