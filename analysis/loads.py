"""Load against capacity: whom each colleague has to reach in the next days, and whom they can.

Every open task that still waits is overdue or due within 72 hours, so four days hold all of it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count, Q

from surveys.loop.own import Rota
from surveys.loop.windows import is_working_day
from surveys.models import Absence, OutreachTask, Role, User
from surveys.models.urgency import midnight, open_tasks, today
from surveys.models.visibility import owned

DAYS = 4  # of the calendar, that 72 hours can touch
LATELY = timedelta(days=30)  # a contact today counts as today's work, of tasks as young as this

Span = tuple[date, date]  # first and last day


@dataclass(frozen=True)
class Load:
    """What one colleague has to reach, with what they stand in for, against what they can."""

    worker: User
    waiting: int  # tasks whose customers are not reached yet, or denied that they were
    stands_in_for: tuple[str, ...]
    day: date  # by whose end it is tightest
    need: int  # to be reached by then
    room: int  # can be reached by then

    @property
    def spare(self) -> int:
        """How many more would fit; below 0 so many do not."""
        return self.room - self.need


def loads(user: User, tasks_a_day: int, now: datetime) -> list[Load]:
    """Of the account managers, and of whoever else has something to reach, whom `user` leads or
    covers; the tightest first. With all that is theirs, also what `user` may not open."""
    rota = Rota(now)
    seen = set(User.objects.filter(owned(user, "pk"), is_active=True).values_list("pk", flat=True))
    days = [today(now) + timedelta(days=n) for n in range(DAYS)]
    need, stands_in = _by_worker(_due(days), rota)
    done = _reached_today(days[0], now, rota)
    away = _away(days)
    managers = {one.pk for one in rota.users.values() if one.role == Role.ACCOUNT_MANAGER}
    workers = (need.keys() | {pk for pk in managers if pk not in rota.covers}) & seen
    rows = [
        _load(
            rota.users[pk],
            need.get(pk, [0] * DAYS),
            room(days, tasks_a_day, done[pk], away[pk]),
            days,
            stands_in[pk],
        )
        for pk in workers
    ]
    return sorted(rows, key=lambda one: (one.spare, -one.waiting, str(one.worker)))


def room(days: Sequence[date], tasks_a_day: int, done: int, away: Iterable[Span]) -> list[int]:
    """How many customers a colleague can still reach by the end of each day: `tasks_a_day` on
    each working day on which they are here, less those `done` today already."""
    spans, total, found = list(away), 0, []
    for place, day in enumerate(days):
        if is_working_day(day) and not any(first <= day <= last for first, last in spans):
            total += max(0, tasks_a_day - done) if place == 0 else tasks_a_day
        found.append(total)
    return found


def _load(
    worker: User, need: list[int], can: list[int], days: list[date], stands_in_for: set[str]
) -> Load:
    tightest = min(range(DAYS), key=lambda n: (can[n] - need[n], n))
    names = tuple(sorted(stands_in_for))
    return Load(worker, need[-1], names, days[tightest], need[tightest], can[tightest])


def _due(days: Sequence[date]) -> dict[int, list[int]]:
    """By owner: how many not yet reached fall due by the end of each day, the overdue with them."""
    counts = {
        f"by_{n}": Count("pk", filter=Q(deadline__lt=midnight(day + timedelta(days=1))))
        for n, day in enumerate(days)
    }
    rows = open_tasks().filter(deadline__isnull=False, owner__isnull=False)
    found = rows.order_by().values("owner").annotate(**counts)
    return {row["owner"]: [row[name] for name in counts] for row in found}


def _by_worker(
    due: Mapping[int, list[int]], rota: Rota
) -> tuple[dict[int, list[int]], defaultdict[int, set[str]]]:
    need: dict[int, list[int]] = {}
    stands_in: defaultdict[int, set[str]] = defaultdict(set)
    for owner, counts in due.items():
        worker = rota.standing_in(owner)
        if worker is None:  # has left: the sweep gives these to somebody within seconds
            continue
        before = need.get(worker.pk, [0] * DAYS)
        need[worker.pk] = [mine + more for mine, more in zip(before, counts, strict=True)]
        if worker.pk != owner:
            stands_in[worker.pk].add(str(rota.users.get(owner, "")))
    return need, stands_in


def _reached_today(day: date, now: datetime, rota: Rota) -> Counter[int]:
    first = Q(first_contact_at__gte=midnight(day), first_contact_at__lte=now)
    second = Q(second_contact_at__gte=midnight(day), second_contact_at__lte=now)
    rows = OutreachTask.objects.filter(first | second, started_at__gte=now - LATELY)
    rows = rows.filter(owner__isnull=False)
    done: Counter[int] = Counter()
    for owner, n in rows.order_by().values_list("owner").annotate(Count("pk")):
        if worker := rota.standing_in(owner):
            done[worker.pk] += n
    return done


def _away(days: Sequence[date]) -> defaultdict[int, list[Span]]:
    rows = Absence.objects.filter(last_day__gte=days[0], first_day__lte=days[-1])
    found: defaultdict[int, list[Span]] = defaultdict(list)
    for one in rows.values_list("user", "first_day", "last_day"):
        found[one[0]].append(one[1:])
    return found
