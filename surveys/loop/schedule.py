"""When each invitation goes out: the survey's window, in the customer's own place."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from surveys.delivery.openings import opening, place, window
from surveys.loop.windows import midnight, on_day
from surveys.models import Channel, Customer, Wave

DAY = timedelta(days=1)


def of_wave(wave: Wave, customers: Iterable[Customer], now: datetime) -> dict[int, datetime]:
    """By customer, when the wave writes to them: evenly over its days, and so for each owner.

    Sorted by owner and then dealt out like cards, neither a day nor an owner's day gets more than
    its share. A wave with a heads-up begins that much later. Links are there at once; the one who
    hands them over chooses the moment.
    """
    if wave.channel == Channel.LINK:
        return {one.pk: now for one in customers}
    earliest = now + (wave.heads_up_days or 0) * DAY
    dealt = sorted(customers, key=lambda one: (_owner(one), one.pk))
    first = wave.planned_up_to % wave.spread_days
    return {
        one.pk: _on_day(wave, (first + turn) % wave.spread_days, one, earliest)
        for turn, one in enumerate(dealt)
    }


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
