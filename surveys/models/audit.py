"""Who did what when, before and after, and why. Rows are added and never changed.

A trigger sees to that, with two exceptions. What an entry says can be blanked, once, by naming the
erasure that asks for it: who did what when stays. And what is older than a year can be deleted.
"""

from __future__ import annotations

from datetime import datetime

from django.contrib.postgres.indexes import BrinIndex
from django.db import models

from surveys.models.erasures import Erasure
from surveys.models.staff import User


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
    def record(
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
        """Add one entry; call it inside the transaction that makes it true. No `actor`: a customer
        or the clock did it."""
        return cls.objects.create(
            at=now,
            actor=actor,
            verb=verb,
            noun=noun._meta.model_name,
            noun_id=noun.pk,
            before=before or {},
            after=after or {},
            reason=reason[:300],
        )
