"""Manners: whom not to ask now, and why. Writes nothing; `ask` writes every verdict down."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db.models import Exists, OuterRef, Q

from surveys.models import Channel, Customer, Invitation, Message, Suppression, Survey, Wave
from surveys.models.invitations import FLOOR

SHORT = {
    Invitation.Decision.THROTTLED: "throttled",
    Invitation.Decision.SUPPRESSED: "suppressed",
    Invitation.Decision.NO_ADDRESS: "no address",
}
# An address whose mails come back keeps nobody from taking a link out of somebody's hand.
OPTED_OUT_OF = {Channel.MAIL: Suppression.Reason.values, Channel.LINK: Suppression.SAID}


class Verdict(NamedTuple):
    """A value of Invitation.Decision and, of a throttled customer, one of Invitation.Throttle."""

    decision: str
    throttled_by: str = ""


class Ask(NamedTuple):
    """An invitation that a customer got, or is about to get."""

    family: int
    at: datetime


ASK = Verdict(Invitation.Decision.ASK)


def judge(
    survey: Survey,
    customers: Iterable[Customer],
    planned: Mapping[int, datetime],
    channel: str = Channel.MAIL,
) -> dict[int, Verdict]:
    """Whether `survey` may ask each of the customers at the instant `planned` for them (by pk).

    A link that is handed over asks as much as a mail does, so it is throttled like one, counts like
    one, and is not made for who has opted out; but it needs no address that mails arrive at. The
    throttle of the survey's family, the company's (settings.GLOBAL_THROTTLE_DAYS) and the hard
    24 hours look both ways: a mail that another wave has planned for next week counts too. Takes
    two queries however many customers there are.
    """
    customers = list(customers)
    addresses = (one.email for one in customers if one.email)
    suppressed = Suppression.among(addresses, survey, OPTED_OUT_OF[Channel(channel)])
    asks = _asks_around(survey, planned)
    verdicts = {}
    for one in customers:
        if not one.email and channel == Channel.MAIL:
            verdicts[one.pk] = Verdict(Invitation.Decision.NO_ADDRESS)
        elif one.email in suppressed:
            verdicts[one.pk] = Verdict(Invitation.Decision.SUPPRESSED)
        else:
            verdicts[one.pk] = _throttled(survey, planned[one.pk], asks[one.pk])
    return verdicts


def _throttled(survey: Survey, at: datetime, asks: list[Ask]) -> Verdict:
    throttle = throttled_by(survey, at, asks)
    return Verdict(Invitation.Decision.THROTTLED, throttle) if throttle else ASK


def throttled_by(survey: Survey, at: datetime, asks: Iterable[Ask]) -> str:
    """Which of Invitation.Throttle forbids asking at that instant; empty when none does."""
    own, every = _spans(survey)
    found = set()
    for ask in asks:
        apart = abs(at - ask.at)
        if apart < FLOOR:
            return Invitation.Throttle.FLOOR
        if ask.family == survey.family_id and apart < own:
            found.add(Invitation.Throttle.FAMILY)
        elif apart < every:
            found.add(Invitation.Throttle.GLOBAL)
    return min(found, default="")  # “family” says more than “global”


def _spans(survey: Survey) -> tuple[timedelta, timedelta]:
    days = timedelta(days=1)
    return survey.family.throttle_days * days, settings.GLOBAL_THROTTLE_DAYS * days


def _asks_around(survey: Survey, planned: Mapping[int, datetime]) -> dict[int, list[Ask]]:
    """By customer, what they got or will get near the planned instant; what was never sent or
    handed over, since its wave was stopped or the server refused it, bothered nobody."""
    asks: dict[int, list[Ask]] = defaultdict(list)
    if not planned:
        return asks
    reach = max(FLOOR, *_spans(survey))
    never_sent = Message.objects.filter(
        invitation=OuterRef("pk"),
        kind=Message.Kind.INVITATION,
        state__in=[Message.State.CANCELLED, Message.State.FAILED],
    )
    reached = Q(link_given_at__isnull=False) | (
        ~Exists(never_sent) & ~Q(channel=Channel.LINK, wave__state=Wave.State.STOPPED)
    )
    rows = Invitation.objects.filter(
        reached,
        customer__in=list(planned),
        decision=Invitation.Decision.ASK,
        send_at__gt=min(planned.values()) - reach,
        send_at__lt=max(planned.values()) + reach,
    )
    for customer, family, at in rows.order_by().values_list(
        "customer_id", "survey__family_id", "send_at"
    ):
        asks[customer].append(Ask(family, at))
    return asks


def not_asked(counts: Mapping[str, int]) -> str:
    """A sentence for `counts` by Invitation.Decision, the most frequent reason first:
    “412 not asked: throttled 300, suppressed 80, no address 32”."""
    reasons = {short: counts.get(decision, 0) for decision, short in SHORT.items()}
    said = [f"{name} {n:,}" for name, n in sorted(reasons.items(), key=lambda r: -r[1]) if n]
    if not said:
        return "Everybody is asked."
    return f"{sum(reasons.values()):,} not asked: {', '.join(said)}"
