"""When each invitation goes out: the survey's window, in the customer's own place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from surveys.delivery.openings import opening, place, window
from surveys.loop.windows import midnight, on_day
from surveys.models import Channel, Customer, Wave

DAY = timedelta(days=1)


class Turns:
    """Whose card goes to which of the `days`, from 0 on; `so_far` is what `noted` said before.

    Customers are dealt out like cards: each owner's own go to one day after the other, and the next
    owner begins where the last one ended. So neither a day nor an owner's day gets more than its
    share, over as many batches as a wave may have.
    """

    def __init__(self, days: int, so_far: Mapping[str, int]):
        self._days, self._next = days, dict(so_far)

    def take(self, owner: int) -> int:
        everybody, own = "", str(owner)
        number = self._next.get(own, self._next.get(everybody, 0))
        self._next[own] = (number + 1) % self._days
        self._next[everybody] = (self._next.get(everybody, 0) + 1) % self._days
        return number

    def noted(self) -> dict[str, int]:
        """For the next batch."""
        return self._next if self._days > 1 else {}


def turns_of(wave: Wave) -> Turns:
    return Turns(wave.spread_days, wave.dealt)


def of_wave(
    wave: Wave, customers: Iterable[Customer], now: datetime, turns: Turns | None = None
) -> dict[int, datetime]:
    """By customer, when the wave writes to them: evenly over its days, and so for each owner.

    A wave with a heads-up begins that much later. Links are there at once; the one who hands them
    over chooses the moment.
    """
    if wave.channel == Channel.LINK:
        return {one.pk: now for one in customers}
    earliest = now + (wave.heads_up_days or 0) * DAY
    dealt = sorted(customers, key=lambda one: (_owner(one), one.pk))
    turns = turns or turns_of(wave)
    return {one.pk: _on_day(wave, turns.take(_owner(one)), one, earliest) for one in dealt}


def _on_day(wave: Wave, number: int, customer: Customer, earliest: datetime) -> datetime:
    where = place(customer)
    start = max(earliest, midnight(wave.starts_on, where.zone)) if wave.starts_on else earliest
    if wave.at_once:
        return start + number * DAY
    return on_day(number, start, window(wave.survey), where)


def _owner(customer: Customer) -> int:
    return (customer.account and customer.account.owner_id) or 0


def heads_up(wave: Wave, customer: Customer, send_at: datetime, now: datetime) -> datetime | None:
    """When the account's owner announces the invitation of `send_at`; None: nobody does."""
    if not wave.heads_up_days or not _owner(customer):
        return None
    due = max(now, send_at - wave.heads_up_days * DAY)
    return opening(wave.survey, customer, due, wave)
