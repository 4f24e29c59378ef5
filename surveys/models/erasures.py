"""Whom we have forgotten, when and why: enough to forget them again after a backup is restored."""

from __future__ import annotations

from django.db import models

from surveys.models.people import Customer
from surveys.models.staff import User


class Erasure(models.Model):
    """One customer forgotten. It names nobody: a number, and a keyed hash of the address."""

    class Cause(models.TextChoices):
        CUSTOMER = "customer", "The customer, on their own page"
        COLLEAGUE = "colleague", "A colleague"
        TIME = "time", "Kept for long enough"

    customer = models.OneToOneField(Customer, on_delete=models.PROTECT, related_name="erasure")
    address_digest = models.BinaryField(max_length=32, null=True, editable=False)
    cause = models.CharField(max_length=9, choices=Cause.choices)
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    reason = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField()
    # When it was written to the file outside the database, which no backup takes back.
    noted_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["-at"]
        indexes = [
            models.Index(  # the sweep that writes them to the file
                fields=["at"], name="erasures_to_note", condition=models.Q(noted_at=None)
            )
        ]

    def __str__(self) -> str:
        return f"{self.customer}, {self.at:%Y-%m-%d}"
