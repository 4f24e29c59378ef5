"""Who did what when, before and after, and why. Rows are added and never changed.

A trigger sees to that, with two exceptions. What an entry says can be blanked, once, by naming the
erasure that asks for it: who did what when stays. And what is older than a year can be deleted.

Each entry is sealed a little later (surveys/loop/seal.py), so that whoever goes around the trigger
is found out.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import connection, models

from surveys.models.erasures import Erasure
from surveys.models.staff import User

PERSONAL = "(personal)"  # stands for what must stay erasable: that it changed is kept, not what to


def recorded(value: object, is_personal: bool = False) -> object:
    """A value of a field as an entry keeps it: rows by their number, dates and sums as text."""
    if is_personal and value:
        return PERSONAL
    if isinstance(value, models.Model):
        return value.pk
    if isinstance(value, list | tuple | models.QuerySet):
        return [recorded(each) for each in value]
    return value if isinstance(value, bool | int | None) else str(value)


class AuditEntries(models.QuerySet["AuditEntry"]):
    def redact(self, erasure: Erasure) -> None:
        """Blank what they say, for the sake of `erasure`; call it in the same transaction."""
        pks = list(self.filter(erasure=None).values_list("pk", flat=True))
        self.model.objects.filter(pk__in=pks).update(
            before={}, after={}, reason="", erasure=erasure
        )
        # Without its salt, the digest of what was said confirms no guess.
        AuditSeal.objects.filter(entry__in=pks).update(salt=None)

    def drop_before(self, at: datetime, most: int) -> int:
        """Delete up to `most` entries older than `at` and than a year; returns how many.

        By a function of the database's owner: the role we work as may have no right to delete.
        """
        with connection.cursor() as cursor:
            cursor.execute("SELECT surveys_drop_old_audit(%s, %s)", [at, most])
            return cursor.fetchone()[0]


class AuditEntry(models.Model):
    at = models.DateTimeField()
    actor = models.ForeignKey(User, null=True, on_delete=models.DO_NOTHING, db_constraint=False)
    verb = models.CharField(max_length=40)  # "close", "answer", ...
    noun = models.CharField(max_length=40)  # "outreachtask"
    noun_id = models.BigIntegerField()
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    reason = models.CharField(max_length=300, blank=True)
    erasure = models.ForeignKey(  # because of which before, after and reason are gone
        Erasure, null=True, editable=False, on_delete=models.PROTECT, related_name="redacted"
    )

    objects = AuditEntries.as_manager()

    class Meta:
        verbose_name = "audit entry"
        verbose_name_plural = "audit entries"
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["noun", "noun_id"], name="audit_of_one_noun"),
            BrinIndex(fields=["at"], name="audit_by_age"),  # the sweep that deletes the oldest
        ]

    def __str__(self) -> str:
        return f"{self.verb} {self.noun} {self.noun_id}"

    @classmethod
    def record(cls, verb: str, noun: models.Model, now: datetime, **more: Any) -> AuditEntry:
        """Add one entry; call it inside the transaction that makes it true. `more`: see `of`."""
        entry = cls.of(verb, noun, now, **more)
        entry.save(force_insert=True)
        return entry

    @classmethod
    def record_many(cls, entries: Iterable[AuditEntry]) -> None:
        """The same for many, in one statement."""
        cls.objects.bulk_create(entries)

    @classmethod
    def of(
        cls,
        verb: str,
        noun: models.Model,
        now: datetime,
        *,
        actor: User | None = None,
        before: dict | None = None,
        after: dict | None = None,
        reason: str = "",
    ) -> AuditEntry:
        """An entry, not saved yet. No `actor`: a customer or the clock did it."""
        return cls(
            at=now,
            actor=actor,
            verb=verb,
            noun=noun._meta.model_name,
            noun_id=noun.pk,
            before=before or {},
            after=after or {},
            reason=reason[:300],
        )


class AuditSeal(models.Model):
    """One link of the chain: SHA-256 (FIPS 180-4) over the seal before it and over the entry.

    It outlives its entry, so that the chain stays whole when old entries are deleted. What an entry
    says enters by a salted digest of its own, which still stands when that was erased.
    """

    position = models.BigIntegerField(primary_key=True)  # 1, 2, 3, without a gap
    entry = models.BigIntegerField(unique=True)  # the number only: the entry may be deleted
    at = models.DateTimeField()  # the entry's
    salt = models.BinaryField(max_length=16, null=True)  # none: what the entry said was erased
    said = models.BinaryField(max_length=32)
    content = models.BinaryField(max_length=32)
    seal = models.BinaryField(max_length=32)

    class Meta:
        ordering = ["position"]

    def __str__(self) -> str:
        return f"{self.position}:{bytes(self.seal).hex()}"

    @classmethod
    def over(cls, entry: AuditEntry, before: AuditSeal | None) -> AuditSeal:
        """The next link, not saved yet. `before` is the last one; None: there is none."""
        salt = secrets.token_bytes(16)
        said = said_digest(entry, salt)
        content = content_digest(entry, said)
        return cls(
            position=before.position + 1 if before else 1,
            entry=entry.pk,
            at=entry.at,
            salt=salt,
            said=said,
            content=content,
            seal=link(bytes(before.seal) if before else START, entry.at, content),
        )


START = bytes(32)  # what the first link is chained to


def said_digest(entry: AuditEntry, salt: bytes) -> bytes:
    return _digest(salt.hex(), entry.before, entry.after, entry.reason)


def content_digest(entry: AuditEntry, said: bytes) -> bytes:
    who = (entry.actor_id, entry.verb, entry.noun, entry.noun_id)
    return _digest(entry.pk, _canonical(entry.at), *who, said.hex())


def link(before: bytes, at: datetime, content: bytes) -> bytes:
    return _digest(before.hex(), _canonical(at), content.hex())


def _canonical(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _digest(*values: object) -> bytes:
    """Of one canonical text: JSON with sorted keys, no spaces, ASCII only."""
    text = json.dumps(values, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).digest()


class SealingHorizon(models.Model):
    """One row: entries up to `up_to` can be sealed once the transactions in `waits_for` are over.

    They were writing to the audit trail when `up_to` was the highest number in sight, so one of
    them may still come in with a lower number.
    """

    only = models.BooleanField(primary_key=True, default=True)
    up_to = models.BigIntegerField(default=0)
    waits_for = ArrayField(models.CharField(max_length=40), default=list)

    class Meta:
        constraints = [models.CheckConstraint(name="one_horizon", condition=models.Q(only=True))]

    def __str__(self) -> str:
        return f"up to {self.up_to}"
