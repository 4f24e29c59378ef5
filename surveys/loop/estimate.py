"""Estimate: whom a draft would ask, before anybody is. The same manners decide as at the launch."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import CharField, QuerySet, Value
from django.db.models.functions import MD5, Cast, Concat

from surveys.loop import manners, schedule
from surveys.loop.ask import BATCH, NEEDED
from surveys.models import Customer, Invitation, Wave

LOOKED_AT = 10_000  # customers; of a larger audience so many by chance


@dataclass
class Estimate:
    """Customers by decision; of a large audience, scaled up from the `looked_at` ones."""

    total: int
    looked_at: int
    decisions: Counter[str] = field(default_factory=Counter)  # by Invitation.Decision
    throttles: Counter[str] = field(default_factory=Counter)  # by Invitation.Throttle
    asked_by_owner: Counter[int | None] = field(default_factory=Counter)  # by the account's owner

    @property
    def is_exact(self) -> bool:
        return self.looked_at == self.total

    @property
    def asked(self) -> int:
        return self.decisions[Invitation.Decision.ASK]


def estimate(wave: Wave, now: datetime) -> Estimate:
    """What a launch now would decide; takes about a second for a million customers."""
    audience = wave.audience(now)
    total = audience.count()
    ids = list(_some(audience, total).order_by("pk").values_list("pk", flat=True))
    told = Estimate(total, looked_at=len(ids))
    for start in range(0, len(ids), BATCH):
        _look_at(told, wave, ids[start : start + BATCH], now)
    _scale(told)
    return told


def _some(audience: QuerySet[Customer], total: int) -> QuerySet[Customer]:
    """About LOOKED_AT of them by chance: every n-th would follow the pattern of an import."""
    if total <= LOOKED_AT:
        return audience
    chance = MD5(Concat(Cast("pk", CharField()), Value(":estimate")))
    return audience.alias(chance=chance).filter(chance__lt=f"{16**8 * LOOKED_AT // total:08x}")


def _look_at(told: Estimate, wave: Wave, ids: list[int], now: datetime) -> None:
    rows = Customer.objects.filter(pk__in=ids).select_related("account").only(*NEEDED)
    customers = list(rows.order_by("pk"))
    planned = schedule.of_wave(wave, customers, now)
    verdicts = manners.judge(wave.survey, customers, planned, wave.channel)
    for customer in customers:
        verdict = verdicts[customer.pk]
        told.decisions[verdict.decision] += 1
        if verdict.throttled_by:
            told.throttles[verdict.throttled_by] += 1
        if verdict == manners.ASK:
            owner = customer.account.owner_id if customer.account else None
            told.asked_by_owner[owner] += 1


def _scale(told: Estimate) -> None:
    if told.is_exact or not told.looked_at:
        return
    factor = told.total / told.looked_at
    told.decisions = Counter({name: round(n * factor) for name, n in told.decisions.items()})
    told.throttles = Counter({name: round(n * factor) for name, n in told.throttles.items()})
    told.asked_by_owner = Counter(
        {who: round(n * factor) for who, n in told.asked_by_owner.items()}
    )
