"""What the clock remembers: when each sweep last ran, and which slots of the calendar are taken."""

from __future__ import annotations

from datetime import datetime

from django.db import connection, models


class Tick(models.Model):
    """The last time a sweep ran to its end; /readyz reads its age."""

    name = models.CharField(max_length=40, primary_key=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} at {self.at:%Y-%m-%d %H:%M:%S}"


class Slot(models.Model):
    """One run of a scheduled job. The unique key makes a second clock harmless."""

    name = models.CharField(max_length=40)
    slot = models.DateTimeField()
    taken_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["name", "slot"], name="slot_taken_once")]

    def __str__(self) -> str:
        return f"{self.name}, {self.slot:%Y-%m-%d %H:%M}"

    @classmethod
    def take(cls, name: str, slot: datetime, now: datetime) -> bool:
        """True for the one caller who gets the slot."""
        return cls.objects.get_or_create(name=name, slot=slot, defaults={"taken_at": now})[1]


def database_now() -> datetime:
    """This instant, UTC, by PostgreSQL's clock, which all processes share: one whose own clock is
    wrong neither turns a late contact into one in time nor escalates what is not due."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]
